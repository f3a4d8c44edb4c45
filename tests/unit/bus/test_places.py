from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.errors import BusUnavailable
from callboard.bus.places import LONGEST_SOCKET_PATH, private_folder, socket_path


@pytest.mark.parametrize("depth", [1, 5, 50])
def test_a_socket_path_always_fits(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["folder"] * depth)
    path = socket_path(folder)
    assert len(bytes(path)) <= LONGEST_SOCKET_PATH
    assert path == socket_path(folder)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(BusUnavailable, match="not a folder of this user"):
        private_folder(tmp_path / "link")
