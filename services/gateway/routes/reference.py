"""The API reference for people, made of the OpenAPI document: a page without script, so that it
needs nothing from elsewhere."""

import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

Document = Mapping[str, Any]
_STYLE: Final = """
body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem;color:#1c2330}
h2{margin-top:2.5rem;border-bottom:1px solid #d6dbe3}
nav a{margin-right:1rem}
details{border:1px solid #d6dbe3;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary code{font-size:14px}
.m{display:inline-block;width:4.2rem;font-weight:700;font-size:12px}
.GET{color:#0b6bcb}.POST{color:#1a7f37}.PUT,.PATCH{color:#9a6700}.DELETE{color:#c0342b}
.s{color:#5b6675;margin-left:.6rem}pre{background:#f4f6f9;padding:.7rem;overflow:auto;
border-radius:6px;font-size:13px}table{border-collapse:collapse}td{padding:.1rem .8rem .1rem 0;
vertical-align:top}p.about{white-space:pre-line}
"""


def reference_page(openapi: Callable[[], Document]) -> Callable[[Request], Any]:
    """The handler of `/docs`."""

    async def page(_: Request) -> Response:
        return Response("".join(_page(openapi())), media_type="text/html; charset=utf-8")

    return page


def _page(document: Document) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
    yield f'<p class="about">{_prose(document["info"].get("description", ""))}</p>'
    yield '<p>For tools: <a href="/openapi.json">OpenAPI</a>, '
    yield '<a href="/asyncapi.json">AsyncAPI</a> of the topics.</p><nav>'
    by_tag = _by_tag(document)
    yield " ".join(f'<a href="#{escape(tag)}">{_heading(tag)}</a>' for tag in by_tag)
    yield "</nav>"
    for tag, calls in by_tag.items():
        yield f'<h2 id="{escape(tag)}">{_heading(tag)}</h2>'
        for method, path, operation in calls:
            yield from _call(method, path, operation, document["components"]["schemas"])
    yield "</body></html>"


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Document]]]:
    found: dict[str, list[tuple[str, str, Document]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            found.setdefault(tag, []).append((method.upper(), path, operation))
    return found


def _call(method: str, path: str, operation: Document, schemas: Document) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary>'
    yield f'<span class="m {method}">{method}</span><code>{escape(path)}</code>'
    yield f'<span class="s">{escape(operation["summary"])}</span></summary>'
    yield f"<p>{_prose(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        rows = "".join(map(_parameter, parameters))
        yield f"<table>{rows}</table>"
    for sample in operation.get("x-codeSamples", ()):
        yield f"<pre>{escape(sample['source'])}</pre>"
    if body := operation.get("requestBody"):
        yield f"<p>Body</p>{_content(body['content'], schemas)}"
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            yield f"<p>{status} {escape(answer['description'])}</p>"
            yield _content(answer.get("content", {}), schemas)
    yield "</details>"


def _parameter(parameter: Document) -> str:
    name, place = escape(parameter["name"]), escape(parameter["in"])
    about = escape(parameter.get("description", ""))
    return f'<tr><td><code>{name}</code></td><td class="s">{place}</td><td>{about}</td></tr>'


def _content(content: Document, schemas: Document) -> str:
    """The example if there is one, else the schema, as it stands behind a reference to it."""
    shown = [kind.get("example", _found(kind["schema"], schemas)) for kind in content.values()]
    texts = (json.dumps(each, ensure_ascii=False, indent=2) for each in shown if each)
    return "".join(f"<pre>{escape(text)}</pre>" for text in texts)


def _found(schema: Any, schemas: Document) -> Any:
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas.get(name, schema)


def _heading(tag: str) -> str:
    return escape(tag.replace("-", " ").capitalize())


def _prose(text: str) -> str:
    """Text whose `code` is set as such."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
