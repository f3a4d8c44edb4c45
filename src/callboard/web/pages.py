"""Long lists a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from callboard.web.problems import Refused

T = TypeVar("T")
LIMIT = 100
MOST = 1_000


class Page(BaseModel, Generic[T]):
    """Part of a list, in its order."""

    items: list[T]
    next: Annotated[str, Field(description='What to give as `after` for the next page; "" = this is the last one.')] = (
        ""
    )
    total: Annotated[int, Field(description="How many there are on all pages.")]


@dataclass(frozen=True, slots=True)
class _Paging:
    after: str
    limit: int
    request: Request
    response: Response

    def page(self, rows: Sequence[T], id_of: Callable[[T], str]) -> Page[T]:
        """The page that was asked for; the answer's header Link names the next one.

        Raises:
            Refused: 400, nothing in the list has the id after which the page should begin.
        """
        found = page_of(rows, id_of, self.after, self.limit)
        if found.next:
            at, url = str(self.request.scope.get("root_path", "")), self.request.url
            # a proxy may have taken its path off; whoever asks has to ask below it
            url = url.replace(path=at + url.path.removeprefix(at))
            following = url.include_query_params(after=found.next, limit=self.limit)
            self.response.headers["Link"] = f'<{following}>; rel="next"'
        return found


def page_of(rows: Sequence[T], id_of: Callable[[T], str], after: str, limit: int) -> Page[T]:
    """The page after the row of an id; "" = the first."""
    ids = [id_of(row) for row in rows]
    if after and after not in ids:
        raise Refused(400, f"nothing in this list is called {after!r}; leave `after` out to begin anew")
    start = ids.index(after) + 1 if after else 0
    items = list(rows[start : start + limit])
    last = ids[start + limit - 1] if start + limit < len(rows) else ""
    return Page(items=items, next=last, total=len(rows))


def page_number(after: str) -> int:
    """An `after` that is the number of a journal entry; "" = 0.

    Raises:
        Refused: 400, it is no number.
    """
    if not after:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 18):
        raise Refused(400, f"`after` is the number of a journal entry here, and {after!r} is none")
    return int(after)


def _asked(
    request: Request,
    response: Response,
    after: Annotated[str, Query(max_length=200, description="The id of the last row that you have.")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = LIMIT,
) -> _Paging:
    return _Paging(after, limit, request, response)


Paging = Annotated[_Paging, Depends(_asked)]
"""`?after=` and `?limit=`."""
