echo "attempt $FLOW_ATTEMPT_NUMBER finds: $(ls "$FLOW_CHECKPOINT")"
touch "$FLOW_CHECKPOINT/epoch-3"
test "$FLOW_ATTEMPT_NUMBER" -gt 1 || kill -9 $$
