"""What a request may bring: what is usual, what is nasty, and mixtures of both, as JSON, as XML and in queries."""

import json
from string import ascii_letters
from typing import Any

from hypothesis import strategies as st

from tests.sandbox.clients import PROVIDER

NASTY = st.sampled_from(
    [
        *("", " ", "0", "-1", "+1", "1_000", "²", "\u0661", "\uff11", "9" * 5000, "0" * 5000 + "1", "1e999", "nan"),
        *("\x00", "\x1b", "\ufffe", "\ud800", "🐦", "%00", "%ff", "%", "a\r\nb: c", "<&>]]>", "null"),
        *("http://[bad", "http://", "nourl", "http://x.test:99999/", "http://x.test:\u0661/", "http://\u2100.test/"),
        *("0001-01-01", "9999-12-31", "2026-W01-1", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
        *("{65e03a35-6b97-48a5-8126-f47bad02df2a}", "urn:uuid:65e03a35-6b97-48a5-8126-f47bad02df2a"),
    ]
)
USUAL = st.sampled_from(
    [
        *("9195550001", "9195550900", "9195550905", "9195550912", "+19195550001", "+19195550961", "+19195550966"),
        *("743", "303716", "IMPORT", "REMOVE", "SUBSCRIBER", "own-1", "externalTns", "importTnOrders", "COMPLETE"),
        *(
            "http://127.0.0.1:9/",
            "bandwidth-dashboard",
            "get",
            "POST",
            "all",
            "true",
            "1",
            "25",
            "500",
            "asc",
            "2026-01-01",
        ),
    ]
)
TEXT = NASTY | USUAL | st.text(max_size=12)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            *(
                "page",
                "size",
                "sortKeyLT",
                "sortKeyGT",
                "sortOrder",
                "fromDateTime",
                "toDateTime",
                "from",
                "to",
                "state",
            ),
            *("name", "city", "numberState", "applicationId", "deliveryState", "orderType", "areacode", "npanxx", "tn"),
            *("status", "customerOrderId", "createdDateFrom", "modifiedDateTo", "orderIdFragment", "loaType", "action"),
        ]
    )
    | st.text(max_size=3),
    TEXT,
    max_size=4,
)
ELEMENTS = [
    *("ExternalTnsOrder", "ImportTnOrder", "RemoveImportedTnOrder", "ImportTnCheckerPayload", "Subscription"),
    *("CustomerOrderID", "SiteId", "SipPeerId", "Action", "LoaType", "TelephoneNumbers", "TelephoneNumber"),
    *("Subscriber", "Name", "OrderType", "OrderId", "CallbackSubscription", "URL", "Expiry", "CallbackCredentials"),
    *("BasicAuthentication", "Username", "Password"),
]
FIELDS = [
    *("number", "applicationId", "provider", "name", "fallbackNumber", "from", "to", "text", "media", "tag"),
    *("incomingMessageUrl", "incomingCallUrl", "incomingMessageUrlCallbackTimeout", "incomingSmsFallbackUrl"),
    *("callbackUrl", "fallbackUrl", "callbackTimeout", "callbackHttpMethod", "receiptRequested", "autoAnswer"),
    *("providerName", "properties", "accountId", "userName", "password"),
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | TEXT, inner, max_size=4),
    max_leaves=8,
)
WORKING = [
    {"number": "+19195550001", "applicationId": "", "provider": PROVIDER},
    {"from": "+19195550002", "to": "+19195550002", "text": "x"},
    {"name": "a", "incomingMessageUrl": "http://127.0.0.1:9/"},
]
CHANGED = st.builds(
    lambda good, changes: good | changes,
    st.sampled_from(WORKING),
    st.dictionaries(st.sampled_from(FIELDS), SCALARS | ANY_JSON, max_size=3),
)
JSON = (CHANGED | ANY_JSON | st.lists(CHANGED, max_size=3)).map(lambda value: json.dumps(value).encode())


def _xml_text(given: str) -> str:
    return "".join(one for one in given if one.isprintable()).replace("&", "&amp;").replace("<", "&lt;")


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


XML = st.recursive(
    TEXT.map(_xml_text)
    | st.sampled_from(["<!-- why -->", "<?why not?>", "<![CDATA[7]]>", "&#10;", "<a:b xmlns:a='c'/>"]),
    lambda inner: st.builds(
        _element,
        st.sampled_from(ELEMENTS) | st.text(ascii_letters, min_size=1, max_size=3),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=6,
)
ORDER = st.builds(
    lambda root, site, action, number, more: (
        f"<{root}><CustomerOrderID>own</CustomerOrderID><SiteId>{site}</SiteId><Action>{action}</Action>{more}"
        f"<TelephoneNumbers><TelephoneNumber>{number}</TelephoneNumber></TelephoneNumbers></{root}>"
    ),
    st.sampled_from(ELEMENTS[:4]),
    st.just("743") | TEXT.map(_xml_text),
    st.sampled_from(["IMPORT", "REMOVE"]),
    st.just("9195550001") | TEXT.map(_xml_text),
    XML,
)
SUBSCRIPTION = st.builds(
    lambda url, expiry, more: (
        f"<Subscription><OrderType>externalTns</OrderType><CallbackSubscription><URL>{url}</URL>"
        f"<Expiry>{expiry}</Expiry>{more}</CallbackSubscription></Subscription>"
    ),
    TEXT.map(_xml_text),
    TEXT.map(_xml_text),
    XML,
)
BODIES = JSON | (ORDER | SUBSCRIPTION | XML).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20)
