"""What a network takes as the spread of its columns."""
import json, struct, sys

data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + length])["input.std"]["data_offsets"]
print(["%.3f" % v for v in struct.unpack(f"<{(end - begin) // 4}f", data[8 + length + begin:8 + length + end])])
