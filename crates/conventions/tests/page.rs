//! The page and the figure of an explanation.

use roxmltree::Document;
use wd_conventions::{DeclaredDecay, Explanation, Setting};
use wd_page::Context;

fn explain(text: &str) -> Explanation {
    let words: Vec<&str> = text.split_whitespace().collect();
    let setting = Setting::read(&words).expect(text);
    Explanation::of(&DeclaredDecay::from(&setting)).expect(text)
}

#[test]
fn the_page_says_what_the_terminal_says() {
    let explanation = explain(
        "torch.AdamW weight_decay=0.1 lr=6e-4 schedule=cosine,warmup=400,floor=0.1 steps=50000 \
         batch=65536tok params=124M dtype=bf16",
    );
    let page = explanation
        .page(&Context { commands: vec!["wd explain 'a <b>'".to_owned()], ..Context::default() })
        .html();
    Document::parse(page.trim_start_matches("<!DOCTYPE html>\n")).expect("well-formed");
    // What is read as one is held together at line ends.
    let page = page.replace('\u{a0}', " ");
    let escaped = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
    };
    for warning in &explanation.warnings {
        // Without its first letter, which is a capital here.
        let rest =
            |text: String| escaped(text.split_at(text.chars().next().map_or(0, char::len_utf8)).1);
        assert!(page.contains(&rest(warning.reason())), "{warning:?}");
        assert!(page.contains(&rest(warning.fix())), "{warning:?}");
    }
    for line in &explanation.equation {
        assert!(page.contains(&escaped(line)), "{line}");
    }
    assert!(page.contains("It leaves 19") && page.contains("wd explain &#39;a &lt;b&gt;&#39;"));
}

#[test]
fn the_figure_shows_what_is_known() {
    let panels = |text: &str| {
        explain(text).figure().map(|figure| {
            let file = figure.file(900.0);
            Document::parse(&file).expect("well-formed");
            file.matches("class=\"panel-title\"").count()
        })
    };
    let run = "lr=0.1 steps=1000 schedule=cosine";
    // Learning rate, shrink, share left, RMS.
    assert_eq!(panels(&format!("torch.AdamW {run} weight_decay=0.1")), Some(4));
    // The RMS of SGD waits for the gradient's size, and Adam's L2 for it altogether.
    let sgd = format!("torch.SGD {run} momentum=0.9 weight_decay=0.1");
    assert_eq!(panels(&sgd), Some(3));
    assert_eq!(panels(&format!("{sgd} gradient_rms=0.01")), Some(4));
    assert_eq!(panels(&format!("torch.Adam {run} weight_decay=0.1")), Some(1));
    assert_eq!(panels("torch.AdamW lr=0.1 weight_decay=0.1"), None);
    assert_eq!(panels("sklearn.Ridge alpha=1"), None);
    // One step, and a learning rate of zero, still give a file.
    assert!(panels("torch.AdamW lr=0.1 weight_decay=0.1 steps=1").is_some());
    assert!(panels("torch.AdamW lr=0 weight_decay=0.1 steps=10").is_some());
}

#[test]
fn what_has_no_run_still_has_a_page() {
    for text in ["sklearn.Ridge alpha=1", "torch.AdamW", "torch.SGD weight_decay=1e-4"] {
        let page = explain(text).page(&Context::default()).html();
        Document::parse(page.trim_start_matches("<!DOCTYPE html>\n")).expect("well-formed");
    }
}
