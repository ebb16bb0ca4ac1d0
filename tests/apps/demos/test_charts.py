from __future__ import annotations

from xml.etree import ElementTree

from apps.demos.charts import responsive


def test_a_chart_is_an_image_with_a_name_that_its_container_sizes() -> None:
    html = responsive(lambda figure: figure.subplots().plot([1, 2]), "losses < gains")
    root = ElementTree.fromstring(f"<div>{html}</div>")
    drawn = root.findall(".//{http://www.w3.org/2000/svg}svg")
    assert len(drawn) == 2
    for svg in drawn:
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == "losses < gains"
        assert svg.get("viewBox")
        assert svg.get("width") is None
        assert svg.get("height") is None
