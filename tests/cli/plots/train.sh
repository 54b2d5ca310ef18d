#!/bin/sh
say() {
	echo "{\"key\":\"$1\",\"value\":$2,\"step\":$3}" >> "$FLOW_METRICS"
}
from=1
test -e ckpt && from=$(($(cat ckpt) + 1))
to=24
test "$FLOW_ATTEMPT_NUMBER" = 1 && to=12
step=$from
while [ $step -le $to ]; do
	test "$FLOW_ATTEMPT_NUMBER" = 1 && test $step -gt 8 && off=40 || off=0
	say loss $(($1 * 24 / step + off)) $step
	say valid_loss $(($1 * 24 / step + step)) $step
	test $step = 7 && say lr null $step || say lr $((24 - step)) $step
	step=$((step + 1))
done
echo 8 > ckpt
echo done > model
test "$FLOW_ATTEMPT_NUMBER" = 2 && rm ckpt
