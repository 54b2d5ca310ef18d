test "$FLOW_ATTEMPT_NUMBER" -gt 1 || exit 75
