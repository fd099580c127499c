//! Who may ask: the token and the cookie, the names under which the server is known, the methods;
//! and the headers that every answer has.

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use blake3::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use super::App;
use super::answer;
use super::listen::{Listener, host_name};
use crate::query::Query;
use crate::{Bind, MINIMAL_TOKEN, Options, ServeError};

/// Longer than any address here.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// What may load and run in a page: what this server sends, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' \
                      blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// Who may ask.
pub(super) struct Guard {
    token: String,
    /// Of the token: comparing hashes takes the same time whatever they are.
    token_hash: Hash,
    /// What the cookie holds, so that the token itself is not in it.
    pass: String,
    pass_hash: Hash,
    cookie: String,
    names: Vec<String>,
}

impl Guard {
    pub(super) fn new(options: &Options, port: Option<u16>) -> Result<Self, ServeError> {
        let token = match &options.token {
            Some(token) if token.len() < MINIMAL_TOKEN => return Err(ServeError::Token),
            Some(token) => token.clone(),
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
                blake3::Hash::from_bytes(bytes).to_hex().to_string()
            }
        };
        let pass = blake3::derive_key("weight-decay 2026 the cookie of wd serve", token.as_bytes());
        let pass = Hash::from_bytes(pass).to_hex().to_string();
        let mut names = vec!["localhost".to_owned()];
        if let Bind::Network { host, .. } = &options.bind
            && !matches!(host.as_str(), "127.0.0.1" | "localhost" | "::1" | "[::1]")
        {
            names.extend([host.to_ascii_lowercase(), host_name().to_ascii_lowercase()]);
        }
        Ok(Guard {
            token_hash: blake3::hash(token.as_bytes()),
            pass_hash: blake3::hash(pass.as_bytes()),
            // Cookies do not know ports: two servers on one machine must not take each other's.
            cookie: port.map_or_else(|| "wd-socket".to_owned(), |port| format!("wd-{port}")),
            token,
            pass,
            names,
        })
    }

    /// The address to open, with the token.
    pub(super) fn address(&self, listener: &Listener) -> String {
        let token = Query::default().with("token", &self.token).text();
        format!("{}/{token}", listener.place())
    }

    fn is_token(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == self.token_hash
    }

    fn has_pass(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs =
            cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.split_once('='));
        let has_cookie = pairs.any(|(name, value)| {
            name.trim() == self.cookie && blake3::hash(value.trim().as_bytes()) == self.pass_hash
        });
        let bearer = || {
            let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
            given.strip_prefix("Bearer ").map(|token| self.is_token(token.trim()))
        };
        has_cookie || bearer().unwrap_or(false)
    }

    /// Is the name under which it was asked for one of its own? A page elsewhere can make its own
    /// name lead here; it cannot make an address do so.
    fn knows(&self, authority: &str) -> bool {
        let name = host_of(authority);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Why a request is refused, whoever asks.
    fn refusal(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let reason = "This page can only be read: GET and HEAD are answered.";
            return Some((StatusCode::METHOD_NOT_ALLOWED, reason));
        }
        if request.uri().to_string().len() > LONGEST_ADDRESS {
            return Some((StatusCode::URI_TOO_LONG, "This address is longer than any here."));
        }
        let headers = request.headers();
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(HOST).filter(|_| headers.get_all(HOST).iter().count() == 1);
        let Some(host) = host.filter(|host| self.knows(host)) else {
            let reason = "This server is not known under that name: open the address that wd \
                          serve printed, or name this one with --host.";
            return Some((StatusCode::MISDIRECTED_REQUEST, reason));
        };
        let is_own = |origin: &str| {
            origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host))
        };
        let is_foreign = headers.contains_key(ORIGIN) && !text(ORIGIN).is_some_and(is_own);
        is_foreign.then_some((StatusCode::FORBIDDEN, "Another site asked for this."))
    }
}

/// A host without its port.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    }
}

/// Lets through who may ask, and puts the headers on every answer.
pub(super) async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = admit(&app.guard, request, next).await;
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(CONTENT_SECURITY_POLICY, POLICY);
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(REFERRER_POLICY, "no-referrer");
    add(CACHE_CONTROL, "no-store");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    add(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

async fn admit(guard: &Guard, request: Request, next: Next) -> Response {
    if let Some((status, reason)) = guard.refusal(&request) {
        let mut response = answer::refused(status, reason);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        return response;
    }
    let query = Query::read(request.uri().query().unwrap_or_default());
    if let Some(given) = query.get("token") {
        return match guard.is_token(given) {
            true => welcome(guard, request.uri(), query),
            false => answer::refused(StatusCode::UNAUTHORIZED, OLD_TOKEN),
        };
    }
    match guard.has_pass(request.headers()) {
        true => next.run(request).await,
        false => answer::refused(StatusCode::UNAUTHORIZED, NO_TOKEN),
    }
}

const NO_TOKEN: &str = "Open the address that wd serve printed: it has the token of this server.";
const OLD_TOKEN: &str = "This token is not that of this server, which has a new one each time it \
                         starts: open the address that it printed last.";

/// Gives the cookie, and leads on to the same address without the token. A page that leads on,
/// rather than a redirection: after one that began on another site, browsers keep back a cookie of
/// the same site alone.
fn welcome(guard: &Guard, uri: &Uri, query: Query) -> Response {
    // Two slashes at the beginning would name another server.
    let path = uri.path().trim_start_matches('/');
    let on = format!("/{path}{}", query.only(|name| name != "token").text());
    let mut response = answer::onward(&on);
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", guard.cookie, guard.pass);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
