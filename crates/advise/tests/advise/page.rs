//! The page of an advice: complete in itself, well-formed, and says what the advice says.

use roxmltree::Document;
use wd_advise::{Circumstances, Optimizer, PlannedRun, advise};
use wd_conventions::RunDeclaration;
use wd_decay::Given;
use wd_page::Context;

fn run(words: &str) -> PlannedRun {
    let mut declaration = RunDeclaration::default();
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').expect("key=value");
        declaration.set(key, value).expect("a value");
    }
    declaration.peak_learning_rate = Some(Given::typed(6e-4));
    let shape = declaration.resolve().expect("a shape");
    PlannedRun::new(&shape, Circumstances::default()).expect("a run")
}

fn advice_page(advice: &wd_advise::Advice, commands: &[String]) -> String {
    advice.page(&Context { commands: commands.to_vec(), ..Context::default() }).html()
}

/// The page's text, once it is known to be well-formed and to load nothing.
fn checked(page: &str) -> String {
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document");
    let document = Document::parse(body).expect("well-formed");
    assert!(!page.contains("src=\"http") && !page.contains("NaN"), "{page}");
    document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

#[test]
fn a_recommendation_has_its_law_plot_recipes_and_commands() {
    let advice = advise(&run("params=124M batch=65536tok steps=50000 schedule=cosine:0.1"));
    let text = checked(&advice_page(&advice, &["wd sweep & more".to_owned()]));
    for part in [
        "Power Lines alone applies, within 0.12 to 0.24",
        "arXiv 2505.13738",
        "λ by budget",
        "GPT-2 124M, D'Angelo et al.",
        "wd sweep & more",
        "outside its range",
    ] {
        assert!(text.contains(part), "no «{part}» in:\n{text}");
    }
}

#[test]
fn a_run_that_no_law_covers_has_a_page_and_no_plot() {
    let planned = run("params=124M batch=65536tok steps=50000 schedule=constant");
    let advice = advise(&planned);
    assert!(advice.figure().is_none());
    let text = checked(&advice_page(&advice, &[]));
    assert!(
        text.contains("No law covers this run") && text.contains("the learning rate is constant"),
        "{text}"
    );
    let sgd = PlannedRun { optimizer: Optimizer::Sgd, schedule: None, ..planned };
    assert!(
        checked(&advice_page(&advise(&sgd), &[])).contains("SGD, a schedule that was not given")
    );
}

#[test]
fn a_law_that_leaves_its_range_is_dashed_from_its_last_point_within() {
    // Half the data leaves 13 tokens a parameter.
    let advice = advise(&run("params=124M batch=65536tok steps=50000 schedule=cosine:0.1"));
    let svg = advice.figure().expect("a law applies").svg(900.0);
    assert!(
        svg.contains("outside the law's range") || svg.contains("outside the law&#39;s range"),
        "{svg}"
    );
    assert!(svg.contains("dashes") && !svg.contains("NaN"), "{svg}");
}
