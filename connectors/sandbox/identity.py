"""What stands around the API: tokens given, revoked and inspected, who the user is, and (legacy) the SOAP login."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from connectors.sandbox.auth import ORG_ID
from connectors.sandbox.counters import Kind
from connectors.sandbox.describe import NEWEST
from connectors.sandbox.errors import TokenRefused
from connectors.sandbox.ids import full_id
from connectors.sandbox.org import INTEGRATION_USER, Org
from connectors.sandbox.routing import Answer, Request

_LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")
_SOAP = re.compile(r"/services/Soap/[uc]/(\d+(?:\.\d)?)(?:/\w+)?/?\Z")
_IDENTITY = re.compile(r"/id/([0-9A-Za-z]{15,18})/([0-9A-Za-z]{15,18})/?\Z")
_NO_SOAP_LOGIN_FROM = 65
_PARTNER = "urn:partner.soap.sforce.com"
_ENVELOPE = '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {}>{}</soapenv:Envelope>'


def endpoint(request: Request) -> tuple[str, Kind, Callable[[Org, Request], Answer]] | None:
    """Path class, kind and handler of what needs no API version; None for any other path."""
    found = _ENDPOINTS.get((request.method, request.path.rstrip("/")))
    if found:
        return found
    if request.method == "POST" and _SOAP.match(request.path):
        return "soap_login", "token", _soap_login
    return ("identity", "read", _identity) if request.method == "GET" and _IDENTITY.match(request.path) else None


def site_of(org: Org, request: Request) -> str:
    """The org's address as this client reaches it: over plain HTTP by the host it asked, or as Salesforce's own host.
    An adapter that leads a client here may say in X-Forwarded-Host, as a proxy does, which of those the client meant."""
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    own = f"https://{org.options.domain}.salesforce.com"
    if not name or name in _LOGIN_HOSTS or not (org.options.named_by_host or name.endswith(".salesforce.com")):
        return own
    return f"https://{host}" if name.endswith(".salesforce.com") else f"http://{host}"


def identity_url(org: Org, request: Request) -> str:
    return f"{site_of(org, request)}/id/{ORG_ID}/{org.user_id}"


def is_own_name(host: str) -> bool:
    """An address, or localhost: a name that a stranger's page made point here is neither."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    return True


def _token(org: Org, request: Request) -> Answer:
    try:
        authorization = request.headers.get("authorization", "")
        return Answer(body=org.tokens.grant(_form(request), authorization, org.options, site=site_of(org, request), user_id=org.user_id))
    except TokenRefused as refused:
        return Answer(status=400, body=refused.body)


def _revoke(org: Org, request: Request) -> Answer:
    token = _form(request).get("token") or request.parameters.get("token", "")
    if org.tokens.take_back(token):
        return Answer(status=200, body=b"", content_type="text/html;charset=UTF-8")
    return Answer(status=400, body={"error": "invalid_token", "error_description": "the token is unknown or already revoked"})


def _introspect(org: Org, request: Request) -> Answer:
    form = _form(request)
    try:
        org.tokens.check_client(form, request.headers.get("authorization", ""))
    except TokenRefused as refused:
        return Answer(status=401, body=refused.body)
    ends = org.tokens.ends(form.get("token", ""))
    if ends is None:
        return Answer(body={"active": False})
    begins = int(ends) - org.options.token_seconds
    about = {"client_id": org.tokens.credentials.client_id, "username": INTEGRATION_USER, "sub": identity_url(org, request)}
    return Answer(body={"active": True, "scope": "api", "token_type": "access_token", "exp": int(ends), "iat": begins, "nbf": begins, **about})


def _identity(org: Org, request: Request) -> Answer:
    if org.tokens.ends(request.token) is None:
        return _bad_token()
    found = _IDENTITY.match(request.path)
    if not found or (full_id(found[1][:15]), full_id(found[2][:15])) != (ORG_ID, org.user_id):
        return Answer(status=404, body=b"Not found", content_type="text/plain; charset=utf-8")
    return Answer(body={"id": identity_url(org, request), "asserted_user": True, **_person(org, request)})


def _userinfo(org: Org, request: Request) -> Answer:
    if org.tokens.ends(request.token) is None:
        return _bad_token()
    return Answer(body={"sub": identity_url(org, request), "preferred_username": INTEGRATION_USER, **_person(org, request)})


def _person(org: Org, request: Request) -> dict[str, Any]:
    site = site_of(org, request)
    data = f"{site}/services/data/v{{version}}/"
    urls = {"rest": data, "sobjects": f"{data}sobjects/", "query": f"{data}query/", "recent": f"{data}recent/"}
    names = {"display_name": "Undertone Integration", "name": "Undertone Integration", "given_name": "Undertone", "family_name": "Integration"}
    about = {"username": INTEGRATION_USER, "email": INTEGRATION_USER, "email_verified": True, "active": True, "user_type": "STANDARD", "language": "en_US"}
    return {"user_id": org.user_id, "organization_id": ORG_ID, "urls": urls, **names, **about}


def _bad_token() -> Answer:
    return Answer(status=403, body=b"Bad_OAuth_Token", content_type="text/html;charset=UTF-8")


def _soap_login(org: Org, request: Request) -> Answer:
    found = _SOAP.match(request.path)
    version = found[1] if found else ""
    if not org.options.soap_login:
        return _fault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    if float(version) >= _NO_SOAP_LOGIN_FROM or float(version) > NEWEST:
        return _fault("UNSUPPORTED_API_VERSION", f"login() is not part of the SOAP API {version}; use OAuth.")
    given = _login_of(request.body)
    if given is None:
        return _fault("UNKNOWN_EXCEPTION", "The request is no login() in a SOAP envelope.")
    try:
        session = org.tokens.log_in(*given, org.options)
    except TokenRefused as refused:
        return _fault(refused.body["error"], refused.body["error_description"])
    server = f"{site_of(org, request)}/services/Soap/u/{version}/{ORG_ID[:15]}"
    ids = f"<organizationId>{ORG_ID}</organizationId><userName>{INTEGRATION_USER}</userName>"
    about = f"<sessionSecondsValid>{org.options.token_seconds}</sessionSecondsValid>{ids}"
    result = f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>{escape(server)}</serverUrl><sessionId>{session}</sessionId>"
    inside = f"<result>{result}<userId>{org.user_id}</userId><userInfo>{about}</userInfo></result>"
    return _xml(200, f'xmlns="{_PARTNER}"', f"<soapenv:Body><loginResponse>{inside}</loginResponse></soapenv:Body>")


def _login_of(body: bytes) -> tuple[str, str] | None:
    """User name and password of a login request. What declares a document type is not read: it could name entities."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    if root.getroottree().docinfo.doctype:
        return None
    login = next(root.iter(f"{{{_PARTNER}}}login"), None)
    texts = [login.findtext(f"{{{_PARTNER}}}{name}") for name in ("username", "password")] if login is not None else []
    return (texts[0], texts[1]) if len(texts) == 2 and texts[0] and texts[1] else None


def _fault(code: str, message: str) -> Answer:
    detail = f"<sf:LoginFault><sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:LoginFault>"
    fault = f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring><detail>{detail}</detail>"
    return _xml(500, 'xmlns:sf="urn:fault.partner.soap.sforce.com"', f"<soapenv:Body><soapenv:Fault>{fault}</soapenv:Fault></soapenv:Body>")


def _xml(status: int, namespaces: str, inside: str) -> Answer:
    return Answer(status=status, body=_ENVELOPE.format(namespaces, inside).encode(), content_type="text/xml;charset=UTF-8")


def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


_ENDPOINTS: Mapping[tuple[str, str], tuple[str, Kind, Callable[[Org, Request], Answer]]] = {
    ("POST", "/services/oauth2/token"): ("token", "token", _token),
    ("POST", "/services/oauth2/revoke"): ("revoke", "token", _revoke),
    ("GET", "/services/oauth2/revoke"): ("revoke", "token", _revoke),
    ("POST", "/services/oauth2/introspect"): ("introspect", "token", _introspect),
    ("GET", "/services/oauth2/userinfo"): ("userinfo", "read", _userinfo),
    ("POST", "/services/oauth2/userinfo"): ("userinfo", "read", _userinfo),
}
