"""POST /links keeps an address and answers its code."""

from app.routing import Answer, Request, route
from app.urls import is_address


@route("POST", "/links")
def create(request: Request) -> Answer:
    url = request.json().get("url")
    if not is_address(url):
        return Answer(400, {"error": 'give an address: {"url": "https://..."}'})
    return Answer(201, {"code": request.links.add(url)})
