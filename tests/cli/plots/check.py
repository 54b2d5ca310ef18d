"""Is it XML, of nothing but shapes and texts, and how much is drawn?"""
import sys, xml.etree.ElementTree as tree

for path in sys.argv[1:]:
    root = tree.parse(path).getroot()
    names = {e.tag.split("}")[1] for e in root.iter()}
    assert names <= {"svg", "title", "style", "rect", "path", "text", "tspan", "circle"}, names
    width, height = map(int, root.get("viewBox").split()[2:])
    for e in root.iter():
        assert 0 <= float(e.get("x", 0)) <= width and 0 <= float(e.get("y", 0)) <= height, e.attrib
    lines = [e.get("d") for e in root.iter() if e.get("class", "").startswith("line")]
    print(path, height, len(lines), [d.count("M") + d.count("L") for d in lines][:3])
    print(" ", "; ".join(" | ".join(e.itertext()) for e in root.iter() if e.get("font-weight") == "600" and e.get("font-size")))
