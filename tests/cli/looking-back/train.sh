#!/bin/sh
# Writes one line and one loss for each epoch, and an accuracy that grows with them.
echo "training for $1 epochs" >&2
for epoch in $(seq "$1"); do
	echo "weights $epoch"
	echo "{\"key\": \"loss\", \"value\": 0.$((9 - epoch)), \"step\": $epoch}" >> "$FLOW_METRICS"
done
echo "{\"accuracy\": 0.9$1}" > metrics.json
