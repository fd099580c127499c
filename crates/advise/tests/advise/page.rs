//! The page of an advice: complete in itself, well-formed, and what a person sees of it.

use roxmltree::Document;
use wd_advise::{AdviceReport, PlannedRun, TargetLambda, advise};
use wd_decay::{OptimizerKind, Run, Schedule, ScheduleKind};
use wd_page::{Context, Terminal};

use crate::planned::{DANGELO, run};

fn report(run: &PlannedRun) -> AdviceReport {
    AdviceReport::new(advise(run))
}

/// The page's text, once it is known to be well-formed and to load nothing.
fn checked(report: &AdviceReport, commands: &[&str]) -> String {
    let commands = commands.iter().map(|&command| command.to_owned()).collect();
    let page = report.page(&Context { commands, ..Context::default() }).html();
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document");
    let document = Document::parse(body).expect("well-formed");
    assert!(!page.contains("src=\"http") && !page.contains("NaN"), "{page}");
    document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

#[test]
fn a_recommendation_as_a_person_sees_it() {
    let planned = run(DANGELO);
    let schedule = Schedule::new(ScheduleKind::Cosine, 0, 50_000, 0.1, 0).unwrap();
    let own = Run { schedule: Some(schedule), steps: Some(50_000), ..Run::at_peak(6e-4) };
    let mut report = report(&planned);
    let target = "big_vision.adam".parse().unwrap();
    let advice = &report.advice;
    report.target = TargetLambda::of(advice, OptimizerKind::Adamw, &own, &target).unwrap();
    insta::assert_snapshot!(report.page(&Context::default()).terminal(&Terminal::plain()));
    let text = checked(&report, &["wd sweep & more"]);
    // Every law with its source, every nearest recipe, and the command that was given.
    for law in &report.advice.laws {
        assert!(text.contains(law.law.name) && text.contains(law.law.source), "{}", law.law.id);
    }
    for comparison in &report.advice.recipes {
        assert!(text.contains(&comparison.recipe.name), "{}", comparison.recipe.name);
    }
    assert!(text.contains("wd sweep & more"));
}

#[test]
fn a_run_that_no_law_covers_has_a_page_and_no_plot() {
    let planned = run("params=124M batch=65536tok steps=50000 lr=6e-4 schedule=constant");
    let constant = report(&planned);
    assert!(constant.advice.figure().is_none());
    let page = constant.page(&Context::default());
    assert_eq!(page.title, "No law covers this run");
    checked(&constant, &[]);
    let sgd = PlannedRun { optimizer: OptimizerKind::Sgd, schedule: None, ..planned };
    let page = report(&sgd).page(&Context::default());
    assert_eq!(page.regime, "SGD, a schedule that was not given.");
}

#[test]
fn a_law_that_leaves_its_range_is_dashed_from_its_last_point_within() {
    // Half the data leaves 13 tokens a parameter.
    let svg = advise(&run(DANGELO)).figure().expect("a law applies").svg(900.0);
    assert!(svg.contains("dashes") && !svg.contains("NaN"), "{svg}");
}

#[test]
fn without_a_rate_the_lead_names_the_rate() {
    let repeated =
        report(&run("params=124M data=100Mtok epochs=8 batch=524288tok schedule=cosine"));
    let lead = repeated.page(&Context::default()).lead;
    let expected = "Without --lr no law gives a number for this run; with --lr data-constrained \
                    would say more.";
    assert_eq!(lead, expected);
    let bare = report(&run("params=124M tokens=3.28B schedule=cosine"));
    let lead = bare.page(&Context::default()).lead;
    assert!(lead.contains("with --batch and --lr Power Lines and log-time decay"), "{lead}");
}

#[test]
fn what_keeps_many_laws_away_is_counted() {
    let tuned = report(&PlannedRun { fine_tuning: true, ..run(DANGELO) });
    let lead = tuned.page(&Context::default()).lead;
    let expected = "laws were established for training from scratch, and this run starts from \
                    trained weights.";
    assert!(lead.starts_with("No law covers this run: ") && lead.ends_with(expected), "{lead}");
}

#[test]
fn numbers_that_are_surely_meant_otherwise_get_a_remark() {
    let said =
        |words: &str| report(&run(words)).page(&Context::default()).terminal(&Terminal::plain());
    let bare = said("params=124M tokens=3B batch=512tok lr=6e-4");
    assert!(bare.contains("write 512seq, and their tokens as context"), "{bare}");
    let small = said("params=124 tokens=3B batch=524288tok lr=6e-4");
    assert!(small.contains("if millions are meant, write 124M"), "{small}");
    for meant in [DANGELO, "params=170k tokens=2M batch=1024tok lr=3e-3"] {
        assert_eq!(run(meant).doubts(), []);
    }
}
