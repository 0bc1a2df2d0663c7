"""Pages for people: an entry that links to what there is."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_CONSOLE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Zhiyin 知音</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto}</style>
</head><body>
<h1>Zhiyin 知音</h1>
<p>This gateway is running. The operations console is not built into this version; everything it
will do is in the API.</p>
<ul>
<li><a href="/docs">API documentation</a> (<a href="/openapi.json">OpenAPI</a>)</li>
<li><code>GET /v1/system</code>: state of the platform, for a key that has
<code>ops:read</code></li>
<li><a href="/readyz">Readiness</a> · <a href="/metrics">Metrics</a></li>
</ul>
</body></html>
"""


async def console(_: Request) -> Response:
    return Response(_CONSOLE, media_type="text/html; charset=utf-8")
