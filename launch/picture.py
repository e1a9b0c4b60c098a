"""Shapes and words of SVG images."""

from __future__ import annotations

from xml.etree import ElementTree as ET

#: Width of all images, in pixels.
WIDTH = 960


class Picture:
    """An image, empty and white at first, with a title for whoever cannot see it."""

    def __init__(self, height: float, title: str) -> None:
        size = {"viewBox": f"0 0 {WIDTH} {height:.0f}", "width": str(WIDTH), "height": f"{height:.0f}"}
        font = {"font-family": "sans-serif", "font-size": "13"}
        self._root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **size, **font})
        ET.SubElement(self._root, "title").text = title
        ET.SubElement(self._root, "rect", width="100%", height="100%", fill="white")

    def box(self, fill: str, title: str = "", **sizes: float) -> None:
        """A rectangle, by x, y, width and height; a pointer over it shows its title."""
        drawn = ET.SubElement(self._root, "rect", {name: f"{size:.1f}" for name, size in sizes.items()}, fill=fill)
        if title:
            ET.SubElement(drawn, "title").text = title

    def line(self, **ends: float) -> None:
        """A thin line: x1, x2, y1 and y2."""
        ET.SubElement(self._root, "line", {name: f"{end:.1f}" for name, end in ends.items()}, stroke="#444")

    def word(self, left: float, base: float, text: str, anchor: str = "start") -> None:
        """Words, whose `anchor` stands at `left`, on a base line."""
        place = {"x": f"{left:.1f}", "y": f"{base:.1f}", "text-anchor": anchor}
        ET.SubElement(self._root, "text", place).text = text

    def rendered(self) -> str:
        """The image as text."""
        ET.indent(self._root)
        return ET.tostring(self._root, encoding="unicode")
