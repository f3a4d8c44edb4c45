"""Fake `flyctl` and `kubectl`: they keep in a JSON file what the real ones keep in a cloud, as far as docs/examples ask.

FAKE_CLOUD=FILE python fake_clouds.py flyctl|kubectl WORD ...
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def flyctl(words: list[str], state: dict[str, Any]) -> str:
    app = value(words, "--app")
    if words[0] == "deploy":
        name, _, setting = value(words, "--env").partition("=")
        machine = {"state": "started", "config": {"env": {name: setting}}, "checks": [{"status": "passing"}]}
        state[app] = [machine, machine]
    elif words[:2] == ["machine", "list"]:
        return json.dumps(state.get(app, []))
    elif words[:3] == ["scale", "count", "0"]:
        state[app] = []
    else:
        sys.exit(f"fake flyctl does not know {words}")
    return ""


def kubectl(words: list[str], state: dict[str, Any]) -> str:
    state.setdefault("service/shop", {"metadata": {"labels": {}}, "spec": {}})
    if words[0] == "apply":
        for item in json.loads(sys.stdin.read())["items"]:
            state[f"{item['kind'].lower()}/{item['metadata']['name']}"] = item
    elif words[:2] == ["rollout", "status"]:
        return "" if words[2] in state else sys.exit("not found")
    elif words[0] == "patch":
        state[f"service/{words[2]}"]["spec"] |= json.loads(value(words, "--patch"))["spec"]
    elif words[0] == "delete":
        for word in words[1:]:
            state.pop(word, None)
    elif words[:2] == ["get", "deployments"]:
        return json.dumps({"items": [one for name, one in state.items() if name.startswith("deployment/")]})
    elif words[:2] == ["get", "service"]:
        return json.dumps(state[f"service/{words[2]}"])
    elif words[:2] == ["get", "--raw"]:
        service = "service/" + words[2].split("/services/")[1].partition(":")[0]
        return "well" if service in state else sys.exit("not found")
    elif words[0] != "config":
        sys.exit(f"fake kubectl does not know {words}")
    return ""


def main() -> None:
    file = Path(os.environ["FAKE_CLOUD"])
    state = json.loads(file.read_text()) if file.exists() else {}
    print((flyctl if sys.argv[1] == "flyctl" else kubectl)(sys.argv[2:], state))
    file.write_text(json.dumps(state))


if __name__ == "__main__":
    main()
