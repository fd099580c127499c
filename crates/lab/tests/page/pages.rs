//! Whole pages: well-formed, self-contained, escaped, and free of numbers that are none.
//!
//! The pages are left in `target/tmp/` (the target directory's `tmp`), to be looked at in a
//! browser.

use std::path::Path;

use crate::fixture;
use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};
use wd_lab::Analysis;
use wd_page::{Context, Settling};

fn context() -> Context {
    Context {
        title: "λ under cosine and constant learning rates: a 0.17 M-parameter GPT on the State of the Union".to_owned(),
        commands: vec!["cargo run --release -- reproduce --out out".to_owned(), "wd report out".to_owned()],
        setting: vec![
            ("Corpus".to_owned(), "State of the Union, 249 speeches, 3.91 M tokens; 16 speeches held out".to_owned()),
            ("Tokenizer".to_owned(), "byte-pair encoding, vocabulary 1024".to_owned()),
            ("Model".to_owned(), "GPT-2 style, 2 layers, width 64, 4 heads, context 64, tied embedding".to_owned()),
            ("Optimizer".to_owned(), "AdamW, β = (0.9, 0.95), clip 1, decoupled decay of tensors with 2 dimensions or more".to_owned()),
            ("Pairing".to_owned(), "the seed sets both the initial weights and the order of the data".to_owned()),
        ],
        notes: vec!["The setting was chosen by sweeps that are recorded beside it; it is small, and says nothing about scale.".to_owned()],
        settling: vec![Settling {
            what: "How λ acts: 8 further runs, 2 minutes one after the other".to_owned(),
            command: "wd sweep out/base.toml decay.lambda=0,0.1 run.seed=5..8 --out out".to_owned(),
        }],
    }
}

fn render(name: &str, analysis: &Analysis, context: &Context) -> String {
    let page = analysis.page(context).html();
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), &page).unwrap();
    page
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap()
}

/// The same study with everything a person can name replaced by hostile text.
fn hostile() -> (Analysis, Context) {
    const TEXT: &str = "</script><img src=x onerror=alert(1)>\"'&\u{0}]]>";
    let mut analysis = fixture::realistic();
    for arm in &mut analysis.arms {
        arm.label = TEXT.to_owned();
        arm.setup.iter_mut().for_each(|setup| setup.schedule_description = TEXT.to_owned());
        arm.settings = vec![(TEXT.to_owned(), TEXT.to_owned())];
    }
    analysis.verdict.headline = TEXT.to_owned();
    analysis.verdict.regime = TEXT.to_owned();
    for line in &mut analysis.verdict.lines {
        line.claim = TEXT.to_owned();
        line.finding = TEXT.to_owned();
    }
    let text = || TEXT.to_owned();
    let context = Context {
        title: text(),
        commands: vec![text()],
        setting: vec![(text(), text())],
        notes: vec![text()],
        settling: vec![Settling { what: text(), command: text() }],
    };
    (analysis, context)
}

fn all() -> Vec<(&'static str, Analysis)> {
    let mut nothing = fixture::single();
    nothing.arms.clear();
    vec![
        ("study.html", fixture::realistic()),
        ("single.html", fixture::single()),
        ("diverged.html", fixture::diverged()),
        ("width.html", fixture::without_lambda_axis()),
        ("many.html", fixture::many()),
        ("nothing.html", nothing),
    ]
}

#[test]
fn pages_are_well_formed_with_unique_ids() {
    for (name, analysis) in all() {
        let page = render(name, &analysis, &context());
        let document = parse(&page);
        let mut ids: Vec<&str> =
            document.descendants().filter_map(|node| node.attribute("id")).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id is used twice");
        let labels = document.descendants().filter_map(|node| node.attribute("aria-labelledby"));
        for label in labels.flat_map(str::split_whitespace) {
            assert!(ids.binary_search(&label).is_ok(), "{name}: nothing has the id {label}");
        }
    }
}

#[test]
fn pages_load_nothing() {
    for (name, analysis) in all() {
        let page = analysis.page(&context()).html();
        let document = parse(&page);
        for node in document.descendants() {
            for attribute in node.attributes() {
                let value = attribute.value();
                let local = value.starts_with('#') || value.starts_with("data:text/csv;");
                match attribute.name() {
                    "href" => assert!(local, "{name}: {value}"),
                    "src" | "srcset" | "data" | "action" | "poster" => {
                        panic!("{name}: <{}> loads {value}", node.tag_name().name())
                    }
                    name => assert!(!value.contains("://"), "{name}=\"{value}\""),
                }
            }
        }
        for text in document
            .descendants()
            .filter(|node| matches!(node.tag_name().name(), "style" | "script"))
        {
            let text = text.text().unwrap_or_default();
            for forbidden in ["://", "@import", "fetch(", "XMLHttpRequest", "import("] {
                assert!(!text.contains(forbidden), "{name}: {forbidden}");
            }
            // The style sheet refers to nothing outside the page either; clip paths are attributes.
            assert!(!text.contains("url("), "{name}");
        }
    }
}

#[test]
fn text_from_outside_stays_text() {
    let (analysis, context) = hostile();
    let page = render("hostile.html", &analysis, &context);
    let document = parse(&page);
    assert!(!document.descendants().any(|node| node.has_tag_name("img")));
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("script")).count(), 1);
    // The NUL, which no document can hold, is replaced; the rest reads as it was written.
    let title = document.descendants().find(|node| node.has_tag_name("h1")).unwrap();
    assert_eq!(title.text(), Some("</script><img src=x onerror=alert(1)>\"'&\u{fffd}]]>"));
}

#[test]
fn figures_are_named_and_described() {
    let page = fixture::realistic().page(&context()).html();
    let document = parse(&page);
    let drawings: Vec<_> = document.descendants().filter(|node| node.has_tag_name("svg")).collect();
    assert!(drawings.len() > 10);
    for drawing in drawings {
        assert_eq!(drawing.attribute("role"), Some("img"));
        for part in ["title", "desc"] {
            let text = drawing
                .children()
                .find(|node| node.has_tag_name(part))
                .and_then(|node| node.text());
            assert!(text.is_some_and(|text| text.len() > 8), "{part}: {text:?}");
        }
    }
    for figure in document.descendants().filter(|node| node.has_tag_name("figure")) {
        assert!(figure.descendants().any(|node| node.has_tag_name("figcaption")));
        assert!(figure.descendants().any(|node| node.has_tag_name("details")));
        let link = figure.descendants().find(|node| node.has_attribute("download")).unwrap();
        assert!(link.attribute("href").unwrap().starts_with("data:text/csv"));
    }
}

#[test]
fn what_is_missing_is_said() {
    let sentences = |analysis: &Analysis| -> Vec<String> {
        let page = analysis.page(&context()).html();
        let document = parse(&page);
        let absent =
            document.descendants().filter(|node| node.attribute("class") == Some("absent"));
        absent.filter_map(|node| node.text().map(str::to_owned)).collect()
    };
    let of_single = sentences(&fixture::single());
    for reason in [
        "validation loss",
        "constant learning rate",
        "several peak learning rates",
        "no difference to test",
    ] {
        assert!(
            of_single.iter().any(|sentence| sentence.contains(reason)),
            "{reason}: {of_single:?}"
        );
    }
    assert!(sentences(&fixture::diverged()).iter().any(|sentence| sentence.contains("diverged")));
    assert_eq!(sentences(&fixture::realistic()), Vec::<String>::new());
}

#[test]
fn what_was_seen_comes_first_and_the_verdict_follows() {
    let page = fixture::realistic().page(&context()).html();
    let document = parse(&page);
    let ids: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("section"))
        .filter_map(|node| node.attribute("id"))
        .collect();
    assert_eq!(
        ids,
        [
            "response",
            "verdict",
            "near",
            "training",
            "gap",
            "constant",
            "late",
            "grid",
            "all-settings",
            "arms",
            "setting",
            "commands"
        ]
    );
}

/// Replaces every number whose turn comes (each `every`-th, from the `first`) by `value`.
fn poisoned(value: f64, every: usize, first: usize) -> Analysis {
    let mut analysis = fixture::realistic();
    let mut turn = first;
    let mut poison = |number: &mut f64| {
        turn += 1;
        if turn.is_multiple_of(every) {
            *number = value;
        }
    };
    let mut bands = |bands: &mut Vec<wd_lab::Band>| {
        for band in bands {
            for number in [&mut band.step, &mut band.mean, &mut band.low, &mut band.high] {
                poison(number);
            }
        }
    };
    for arm in &mut analysis.arms {
        bands(&mut arm.train_loss);
        bands(&mut arm.late.gradient_norm);
        bands(&mut arm.late.relative_update);
        bands(&mut arm.late.weight_rms);
        arm.weight_rms_by_role.iter_mut().for_each(|norm| bands(&mut norm.measured));
    }
    for comparison in &mut analysis.comparisons {
        bands(&mut comparison.difference);
    }
    for arm in &mut analysis.arms {
        for norm in &mut arm.weight_rms_by_role {
            norm.predicted.iter_mut().for_each(|(_, rms)| poison(rms));
        }
        for interval in [
            &mut arm.final_train,
            &mut arm.final_validation,
            &mut arm.final_train_evaluation,
            &mut arm.gap,
        ] {
            for number in [&mut interval.mean, &mut interval.low, &mut interval.high] {
                poison(number);
            }
        }
        arm.setup.iter_mut().for_each(|setup| poison(&mut setup.kappa));
        arm.peak_learning_rate.iter_mut().for_each(&mut poison);
        poison(&mut arm.lambda);
    }
    for found in analysis.near_best.iter_mut().flat_map(|near| &mut near.nearest.arms) {
        for number in [&mut found.behind, &mut found.low, &mut found.high] {
            poison(number);
        }
    }
    for comparison in &mut analysis.comparisons {
        for difference in
            [&mut comparison.final_train, &mut comparison.final_validation, &mut comparison.gap]
        {
            for number in [
                &mut difference.interval.mean,
                &mut difference.interval.low,
                &mut difference.interval.high,
            ] {
                poison(number);
            }
        }
        if let Some(crossing) = &mut comparison.crossing {
            poison(&mut crossing.step);
            poison(&mut crossing.fraction);
        }
    }
    analysis
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_number_reaches_the_page_that_is_none(
        value in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.0), Just(-1e300), Just(1e-310)],
        every in prop_oneof![1usize..4, 5usize..60],
        first in 0usize..60,
    ) {
        let page = poisoned(value, every, first).page(&context()).html();
        let document = parse(&page);
        for node in document.descendants() {
            let texts = node.attributes().map(|attribute| attribute.value()).chain(node.is_text().then(|| node.text()).flatten());
            let script = node.parent().is_some_and(|parent| matches!(parent.tag_name().name(), "script" | "style"));
            for text in texts.filter(|_| !script) {
                let words = text.split(|c: char| c.is_whitespace() || ",;:()[]MLHVZ%".contains(c));
                for word in words {
                    prop_assert!(!word.parse::<f64>().is_ok_and(|number| !number.is_finite()), "{word:?} in {text:?}");
                }
            }
        }
    }
}

#[test]
fn arms_that_do_not_differ_in_lambda_are_named_by_what_differs() {
    let page = fixture::without_lambda_axis().page(&context()).html();
    let document = parse(&page);
    let named: Vec<_> =
        document.descendants().filter_map(|node| node.attribute("data-label")).collect();
    assert!(named.contains(&"model.width=64") && named.contains(&"model.width=128"), "{named:?}");
}
