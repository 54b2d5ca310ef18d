trap 'echo told to end, saved; exit 0' TERM
while :; do
	sleep 0.05
done
