# Start a run and kill flow as soon as the embedding has a checkpoint; its worker ends what it had started.
flow run -q &
until ls models/checkpoint/state-*.safetensors >/dev/null 2>&1; do
	kill -0 $! || exit 1
	sleep 0.01
done
kill -9 $!
wait $! 2>/dev/null
echo killed
