echo '{"fail": "row 7 of data.txt has no label"}' >> "$FLOW_METRICS"
exit 3
