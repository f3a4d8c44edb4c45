"""GET /go/CODE leads to the long address."""

from app.routing import Answer, Request, route


@route("GET", "/go/{code}")
def redirect(request: Request, code: str) -> Answer:
    url = request.links.get(code)
    if url is None:
        return Answer(404, {"error": f"no link has the code {code}"})
    return Answer(302, {"url": url}, {"Location": url})
