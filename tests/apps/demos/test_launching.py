import httpx
import pytest

from apps.demos.launching import launch


def test_the_page_names_no_other_host(served):
    html = httpx.get(served).text
    links = [part.split('"')[0] for part in html.split('src="')[1:] + html.split('href="')[1:]]
    away = [link for link in links if link.startswith(("http", "//")) and served not in link]
    assert away == []


def test_a_password_keeps_strangers_out(monkeypatch):
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as demo:
        gr.Markdown("secret")
    url = launch(demo, auth=[("ada", "lovelace")], block=False)
    try:
        assert httpx.get(f"{url}config").status_code == 401
        assert "secret" not in httpx.get(url).text
    finally:
        demo.close()


@pytest.mark.parametrize("setting", ["analytics_enabled", "share"])
def test_nothing_phones_home(desk, setting):
    from apps.demos.finance import compose

    assert not getattr(compose(desk), setting, False)
