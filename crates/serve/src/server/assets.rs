//! The files that pages load: in the binary, compressed once, under an address that changes with
//! their contents.

use std::sync::LazyLock;

use wd_page::html;

/// A file.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plain: Vec<u8>,
    pub(crate) compressed: Vec<u8>,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static ASSETS: LazyLock<(String, Vec<Asset>)> = LazyLock::new(|| {
    let style = html::served_style_sheet() + include_str!("../../assets/serve.css");
    let script = html::script();
    let files: Vec<(&str, &str, &[u8])> = vec![
        ("page.css", STYLE, style.as_bytes()),
        ("page.js", SCRIPT, script.as_bytes()),
        ("live.js", SCRIPT, include_bytes!("../../assets/live.js")),
        ("morph.js", SCRIPT, include_bytes!("../../assets/morph.js")),
        ("tables.js", SCRIPT, include_bytes!("../../assets/tables.js")),
        ("series.js", SCRIPT, include_bytes!("../../assets/series.js")),
        ("uplot.js", SCRIPT, include_bytes!("../../assets/uplot/uPlot.iife.min.js")),
        ("uplot.css", STYLE, include_bytes!("../../assets/uplot/uPlot.min.css")),
    ];
    let mut hasher = blake3::Hasher::new();
    let assets = files.into_iter().map(|(name, kind, bytes)| {
        hasher.update(name.as_bytes()).update(bytes);
        Asset { name, kind, plain: bytes.to_vec(), compressed: super::answer::compressed(bytes, 9) }
    });
    let assets = assets.collect();
    // One hash for all: modules import each other by relative addresses.
    (hasher.finalize().to_hex()[..16].to_owned(), assets)
});

/// The address of a file.
pub(crate) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", ASSETS.0)
}

/// A file, if the hash is that of these files.
pub(super) fn find(hash: &str, name: &str) -> Option<&'static Asset> {
    ASSETS.1.iter().find(|asset| asset.name == name && hash == ASSETS.0)
}
