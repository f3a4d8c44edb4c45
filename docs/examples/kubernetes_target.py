"""[deploy.commands] for Kubernetes: a Deployment and a Service for each slot, and one Service whose selector is the switch.

    up = "python3 /etc/callboard/kubernetes_target.py up"      # the same for health, switch, down, status

From the environment, besides what Callboard gives: APP (a name), IMAGE (with {commit} in it, pushed by `build` or by your CI), and
APP_PORT (8000). kubectl's context says which cluster and namespace. The Service APP is yours, with any selector at first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def kubectl(*words: str, stdin: str = "") -> str:
    done = subprocess.run(["kubectl", *words], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def manifest(app: str, slot: str, release: str, image: str, port: int) -> str:
    name, labels = f"{app}-{slot}", {"app": app, "slot": slot}
    meta = {"name": name, "labels": labels, "annotations": {"callboard/release": release}}
    container = {"name": app, "image": image, "ports": [{"containerPort": port}]}
    container["env"] = [{"name": "CALLBOARD_RELEASE", "value": release}, {"name": "CALLBOARD_PORT", "value": str(port)}]
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pods}
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": port}]}
    items = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def status(app: str) -> str:
    found = json.loads(kubectl("get", "deployments", "--selector", f"app={app}", "--output", "json"))["items"]
    selector = json.loads(kubectl("get", "service", app, "--output", "json"))["spec"].get("selector", {})
    rows = []
    for one in found:
        slot, release = one["metadata"]["labels"]["slot"], one["metadata"]["annotations"]["callboard/release"]
        rows.append(f"{release} {100 if selector.get('slot') == slot else 0} http://{app}-{slot}")
    return "\n".join(rows)


def main(what: str) -> None:
    app, port = os.environ["APP"], int(os.environ.get("APP_PORT", "8000"))
    if what == "status":
        print(status(app))
        return
    slot, release, commit = (os.environ[f"CALLBOARD_{name}"] for name in ("SLOT", "RELEASE", "COMMIT"))
    if what == "up":
        image = os.environ["IMAGE"].replace("{commit}", commit)
        kubectl("apply", "--filename", "-", stdin=manifest(app, slot, release, image, port))
        kubectl("rollout", "status", f"deployment/{app}-{slot}", "--timeout", "10m")
    elif what == "health":
        namespace = kubectl("config", "view", "--minify", "--output", "jsonpath={..namespace}").strip() or "default"
        print(kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/services/{app}-{slot}:80/proxy/health"))
    elif what == "switch":
        selector = {"spec": {"selector": {"app": app, "slot": slot}}}
        kubectl("patch", "service", app, "--patch", json.dumps(selector))
    elif what == "down":
        kubectl("delete", f"deployment/{app}-{slot}", f"service/{app}-{slot}", "--ignore-not-found")
    else:
        sys.exit(f"{what!r} is none of up, health, switch, down, status")


if __name__ == "__main__":
    main(sys.argv[1])
