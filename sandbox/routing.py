"""Finds the endpoint of a path; literal segments in any letter case, a trailing or doubled slash does not matter."""

from collections.abc import Iterable
from urllib.parse import unquote

from sandbox.call import Route


class Node:
    """One segment of the tree of paths."""

    __slots__ = ("any_child", "any_name", "children", "routes")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.any_child: Node | None = None
        self.any_name = ""
        self.routes: dict[str, Route] = {}


def tree_of(routes: Iterable[Route]) -> Node:
    """The tree in which `find` looks."""
    root = Node()
    for route in routes:
        node = root
        for part in segments(route.path):
            if part.startswith("{"):
                node.any_child = node.any_child or Node()
                node.any_name = part.strip("{}")
                node = node.any_child
            else:
                node = node.children.setdefault(part.lower(), Node())
        node.routes[route.method] = route
    return root


def segments(path: str) -> list[str]:
    """The segments of a path, unescaped one by one so that %2F stays inside its segment."""
    if "%" in path:
        return [unquote(part) for part in path.split("/") if part]
    return [part for part in path.split("/") if part]


def find(root: Node, parts: Iterable[str]) -> tuple[dict[str, Route], dict[str, str]]:
    """The routes at that path by method, empty when there is none, and the parameters in the path."""
    node, params = root, {}
    for part in parts:
        child = node.children.get(part.lower())
        if child is None:
            child = node.any_child
            if child is None:
                return {}, {}
            params[node.any_name] = part
        node = child
    return node.routes, params
