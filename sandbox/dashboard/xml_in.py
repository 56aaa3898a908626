"""Reads the XML of a request: no document type, no entities, no network, and nothing but elements and text."""

from lxml import etree

from sandbox.dashboard.refusals import Refusal


def root_of(body: bytes, *expected: str) -> etree._Element:
    """The root of a request, which must have one of the `expected` names; otherwise a 400 is raised."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,  # else they would part the text of an element
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        # Our choice: no document says what the real server answers to a body that is not XML.
        raise Refusal(400, "1010", "The request body is not well-formed XML.") from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refusal(400, "1010", "A document type declaration is not allowed.")
    if local_name(root) not in expected:
        raise Refusal(400, "1010", f"The request body must be a {expected[0]} element.")
    return root


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def child(element: etree._Element, *names: str) -> etree._Element | None:
    """The first child with one of the names."""
    return next((one for one in element if local_name(one) in names), None)


def text(element: etree._Element, *names: str) -> str | None:
    """The stripped text of the first child with one of the names; None when absent or blank."""
    found = child(element, *names)
    return ((found.text or "").strip() or None) if found is not None else None


def numbers(element: etree._Element) -> list[str]:
    """The texts of `TelephoneNumbers/TelephoneNumber`, in order."""
    holder = child(element, "TelephoneNumbers")
    if holder is None:
        return []
    return [(one.text or "").strip() for one in holder if local_name(one) == "TelephoneNumber"]
