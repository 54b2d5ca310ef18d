#!/bin/sh
# Names that could be taken for markup, for a list, or move the cursor; values at the ends of what a number can be.
for step in 0 1 2 3; do
	cat >> "$FLOW_METRICS" <<-END
		{"key":"<script>alert(1)</script> & \"]]>","value":$step,"step":$step}
		{"key":"a,b","value":$((step * step)),"step":$step}
		{"key":"\u009b31m\u202eevil","value":$step,"step":$step}
		{"key":"huge","value":$((1 - step % 2 * 2))e308,"step":$step}
		{"key":"tiny","value":${step}e-320,"step":$step}
		{"key":"constant","value":5,"step":$step}
		{"key":"below","value":$((step - 1)),"step":$step}
		{"key":"late","value":$step,"step":$((9223372036854775804 + step))}
	END
done
echo '{"key":"once","value":3,"step":7}' >> "$FLOW_METRICS"
