# Runs the training again and kills its attempt with -9 as soon as it has put something aside.
rm -rf ckpt
flow run --force=train "$@" > /dev/null 2>&1 &
run=$!
until ls ckpt/rounds-*.ubj > /dev/null 2>&1; do sleep 0.01; done
kill -9 $(pgrep -P $(pgrep -P $run -x flow-worker))
wait $run
