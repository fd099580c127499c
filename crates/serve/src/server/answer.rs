//! Pages, changes, files and errors as HTTP.

use std::io::Write;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use wd_page::Markup;

use super::assets::Asset;

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const BINARY: &str = "application/octet-stream";

/// Shorter answers are sent as they are.
const WORTH_COMPRESSING: usize = 1500;

/// What is sent.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The name under which a browser saves it; absent for what is shown.
    pub(crate) saved_as: Option<String>,
}

impl Answer {
    pub(crate) fn new(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Answer { status: StatusCode::OK, kind, bytes: bytes.into(), saved_as: None }
    }

    /// A figure's drawing or numbers, to be saved.
    pub(crate) fn file(name: &str, kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Answer { saved_as: Some(name.to_owned()), ..Answer::new(kind, bytes) }
    }

    /// A page that says what is the matter.
    pub(crate) fn problem(status: StatusCode, reason: &str) -> Self {
        Answer { status, ..Answer::new(HTML, short_page(status, reason)) }
    }

    /// As a response, compressed where the visitor can read that and it pays.
    pub(super) fn respond(self, headers: &HeaderMap) -> Response {
        let is_worth_it = self.bytes.len() > WORTH_COMPRESSING && takes_gzip(headers);
        let bytes = if is_worth_it { compressed(&self.bytes, 1) } else { self.bytes };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = self.status;
        let out = response.headers_mut();
        out.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        out.insert(VARY, HeaderValue::from_static("accept-encoding, cookie"));
        if is_worth_it {
            out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(name) = &self.saved_as {
            // Names of figures are letters and dashes; anything else is left to the browser.
            let named = format!("attachment; filename=\"{name}\"");
            let value = HeaderValue::from_str(&named);
            let value = value.unwrap_or(HeaderValue::from_static("attachment"));
            out.insert(CONTENT_DISPOSITION, value);
            // A drawing has its own styles, and is never a page.
            let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
            out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        response
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            name.trim() == "gzip" && quality.trim() != "q=0"
        })
    })
}

/// Bytes in gzip's format.
pub(super) fn compressed(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(level));
    // Writing into memory does not fail.
    let written = out.write_all(bytes);
    match (written, out.finish()) {
        (Ok(()), Ok(compressed)) => compressed,
        _ => bytes.to_vec(),
    }
}

/// A file of the pages, which never changes under its address.
pub(super) fn asset(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let is_compressed = takes_gzip(headers);
    let bytes = if is_compressed { &asset.compressed } else { &asset.plain };
    let mut response = Response::new(Body::from(bytes.as_slice()));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    let for_ever = HeaderValue::from_static("private, max-age=31536000, immutable");
    out.insert(CACHE_CONTROL, for_ever);
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_compressed {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A page for whoever is not let in.
pub(super) fn refused(status: StatusCode, reason: &str) -> Response {
    Answer::problem(status, reason).respond(&HeaderMap::new())
}

/// Leads on to another address of this server.
pub(super) fn onward(address: &str) -> Response {
    let mut out = Markup::default();
    out.raw("<!DOCTYPE html>\n").open("html", &[("lang", "en")]).open("head", &[]);
    out.empty("meta", &[("charset", "utf-8")]);
    out.empty("meta", &[("http-equiv", "refresh"), ("content", &format!("0;url={address}"))]);
    out.element("title", &[], "wd serve").close();
    out.open("body", &[]).element("a", &[("href", address)], "On to the page");
    Answer::new(HTML, out.finish()).respond(&HeaderMap::new())
}

fn short_page(status: StatusCode, reason: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Problem");
    let mut out = Markup::default();
    out.raw("<!DOCTYPE html>\n").open("html", &[("lang", "en")]).open("head", &[]);
    out.empty("meta", &[("charset", "utf-8")]);
    let viewport = [("name", "viewport"), ("content", "width=device-width, initial-scale=1")];
    out.empty("meta", &viewport);
    out.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    out.element("title", &[], title).close();
    out.open("body", &[]).open("main", &[]);
    out.element("h1", &[], title).element("p", &[], reason);
    out.open("p", &[]).element("a", &[("href", "/")], "All studies").close();
    out.finish()
}
