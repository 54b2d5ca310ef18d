# The best of all is the second; it goes on for ever unless it is told to stop.
i=0
while [ ! -e "$FLOW_STOP" ]; do
	i=$((i + 1))
	echo "{\"key\": \"valid_loss\", \"value\": $(((i - 2) * (i - 2))), \"step\": $i}" >> "$FLOW_METRICS"
	sleep 0.05
done
