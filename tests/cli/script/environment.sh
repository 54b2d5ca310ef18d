echo "$# words: $1, $2, $3, $4"
echo "$MINE $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $FLOW_THREADS $FLOW_MEMORY $FLOW_SEED"
cat "$FLOW_DEP_DATA"
test -d "$FLOW_CHECKPOINT" && echo a checkpoint folder
cp "$FLOW_DEP_DATA" "$FLOW_OUT_MODEL"
echo '{"key": "loss", "value": 0.5, "step": 1}' >> "$FLOW_METRICS"
echo '{"progress": 1, "total": 2, "what": "half"}' >> "$FLOW_METRICS"
printf '{"key": "rows", "value": 7}' >> "$FLOW_METRICS"
