"""The check itself: a page that runs, asks elsewhere or breaks its policy is seen doing so."""

from pathlib import Path

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; connect-src *">
<title>bad</title></head><body><script>
alert(1);
fetch("http://127.0.0.1:9/secret").catch(() => {});
const image = new Image();
image.src = "http://127.0.0.1:9/x.png";
console.error("broken");
</script></body></html>"""


def test_what_a_page_must_not_do_is_seen_when_it_does_it(visit, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(PAGE)
    bad = visit(tmp_path / "bad.html")
    bad.page.wait_for_function("window.breaches.length > 0")
    found, bad.excused = bad.troubles(), True
    assert found["a payload ran"] == "a dialog"
    assert found["breaches of its policy"] == ["img-src http://127.0.0.1:9/x.png"]
    assert sorted(found["requests to elsewhere"]) == ["http://127.0.0.1:9/secret", "http://127.0.0.1:9/x.png"]
    assert "broken" in bad.said
