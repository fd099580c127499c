//! The report of one run: losses, schedules, norms by role against their prediction, and the plan.
//!
//! | file | what |
//! |---|---|
//! | `run` | what is drawn of a run |
//! | `figures` | the figures |
//! | `classification` | accuracy and calibration of a run on images |
//! | `norms` | weight norms by role, measured and predicted |

mod classification;
mod figures;
mod norms;
mod roles;
mod run;

use wd_decay::Unit;
use wd_page::{Content, Context, Page, Section, Shown, Table, counted, number};
use wd_store::{Event, EventKind, Plan, RunDirectory, Status};

use crate::configuration::Flat;
use crate::{LabError, Record};
use run::Run;

/// One run directory as a page.
///
/// Any run that was planned can be shown, finished or not; what it has not measured is left out
/// with a sentence. An empty title is replaced by the name of the directory.
///
/// # Errors
/// [`LabError::Store`] when the directory was never planned, or one of its files is damaged.
pub fn run_page(directory: &RunDirectory, context: &Context) -> Result<Page, LabError> {
    // What the page shows is in the plan: the settings that led to it are of no use here.
    let record = Record::read(directory.path(), Flat::new())?;
    let run = Run::of(&record)?;
    let events = directory.events()?.events;
    let title = if context.title.is_empty() {
        let name = directory.path().file_name();
        name.map_or_else(|| "A run".to_owned(), |name| name.to_string_lossy().replace(',', ", "))
    } else {
        context.title.clone()
    };
    let mut sections = vec![figures::losses(&run)];
    let confusion = directory.confusion()?;
    sections.extend(classification::section(&run, &directory.evaluations()?, confusion.as_ref()));
    sections.extend([
        figures::schedules(&run),
        figures::dynamics(&run),
        norms::section(&run),
        plan(run.plan),
    ]);
    sections.extend(happened(&events));
    sections.extend(context.sections());
    if !context.notes.is_empty() {
        sections[0].contents.extend(context.notes.iter().cloned().map(Content::Paragraph));
    }
    Ok(Page {
        kind: "One run",
        title,
        lead: lead(&run, &record.status),
        regime: regime(run.plan),
        facts: facts(run.plan),
        sections,
    })
}

/// How the run ended, and with which losses.
fn lead(run: &Run<'_>, status: &Status) -> String {
    let steps = number::count(run.plan.steps);
    let all = counted(&steps, "step");
    let status = match status {
        Status::New => format!("Planned for {all}, not begun."),
        Status::Running { step } => {
            format!("Running: {} of {all} so far.", number::count(*step))
        }
        Status::Interrupted { step } => {
            format!("Interrupted: of {all}, {} are in the newest checkpoint.", number::count(*step))
        }
        Status::Diverged { step, tensor, message } => {
            let place = tensor.as_ref().map_or(String::new(), |tensor| format!(" in {tensor}"));
            format!("Diverged at step {} of {steps}{place}: {message}", number::count(*step))
        }
        Status::Finished { step } => {
            format!("Finished: {}.", counted(number::count(*step), "step"))
        }
    };
    let mut reached = Vec::new();
    // Those of the same weights stand together: their difference is the gap.
    let evaluated = run.last("train_eval_loss");
    if let Some(loss) = evaluated {
        reached.push(format!("training loss {}", number::fixed(loss, 4)));
    }
    let held_out = run.last("validation_loss");
    if let Some(loss) = held_out {
        reached.push(format!("{} loss {}", run.plan.held_out(), number::fixed(loss, 4)));
    }
    if let (Some(training), Some(held_out)) = (evaluated, held_out) {
        reached.push(format!("a gap of {} between them", number::signed(held_out - training, 4)));
    }
    if let Some(accuracy) = run.last("test_accuracy") {
        reached.push(format!("test accuracy {}", classification::per_cent(accuracy)));
    }
    if let (None, Some(loss)) = (evaluated, run.final_train_loss()) {
        reached.push(format!(
            "training loss {} over the last 5 % of its steps",
            number::fixed(loss, 4)
        ));
    }
    match reached.split_last() {
        None => status,
        Some((last, [])) => format!("{status} It reached {last}."),
        Some((last, others)) => format!("{status} It reached {} and {last}.", others.join(", ")),
    }
}

fn regime(plan: &Plan) -> String {
    let tau = plan.tau_fraction.map_or(String::new(), |tau| {
        format!(
            ", averaging timescale τ = {} ({})",
            counted(number::short(plan.tau_steps.unwrap_or(f64::NAN)), "step"),
            number::of_the_run(tau)
        )
    });
    let peak = number::short(plan.peak_learning_rate);
    if plan.holds_norms() {
        return format!(
            "{} under hyperball: norms are held, and nothing decays; {} at peak LR {peak}, the \
             share of its norm by which a held tensor moves.",
            plan.optimizer,
            plan.schedule.describe(),
        );
    }
    let kappa = match plan.hides_shrink() {
        true => "not known, since the penalty is divided with the gradient".to_owned(),
        false => format!("κ = {}{tau}", number::short(plan.kappa)),
    };
    format!(
        "{} under the {} rule with λ = {}; {} at peak LR {peak}; total decay exponent {kappa}.",
        plan.optimizer,
        plan.rule,
        number::short(plan.lambda),
        plan.schedule.describe(),
    )
}

fn facts(plan: &Plan) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("Seed", plan.seed.to_string()),
        fact("Model", counted(number::count(plan.parameters), "parameter")),
        fact(
            if plan.holds_norms() { "Held" } else { "Decayed" },
            counted(number::count(plan.decayed_parameters), "parameter"),
        ),
        fact(
            "Training",
            format!(
                "{} × {}",
                counted(number::count(plan.steps), "step"),
                counted(number::count(plan.samples_per_step), plan.unit.noun())
            ),
        ),
        fact(
            if plan.unit == Unit::Image { "Images a parameter" } else { "Tokens a parameter" },
            number::short(plan.samples_per_parameter),
        ),
        fact("Passes over the data", number::short(plan.epochs)),
    ]
}

/// Every tensor with its λ and the reason for it.
fn plan(plan: &Plan) -> Section {
    let mut table =
        Table::new(&["tensor", "role", "λ", "reason", "shape", "parameters", "initial RMS"], 4);
    for tensor in &plan.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        table.rows.push(vec![
            tensor.path.clone(),
            tensor.role.to_string(),
            number::short(tensor.lambda),
            tensor.reason.clone(),
            shape.join(" × "),
            number::count(tensor.parameters),
            number::short(tensor.initial_rms),
        ]);
    }
    let decayed = plan.tensors.iter().filter(|tensor| tensor.lambda != 0.0).count();
    let tensors = plan.tensors.len();
    let contents = vec![
        Content::Paragraph(format!(
            "{decayed} of {} {}: {} of {}.",
            counted(tensors, "tensor"),
            if plan.holds_norms() { "keep their norm" } else { "decay" },
            number::count(plan.decayed_parameters),
            counted(number::count(plan.parameters), "parameter")
        )),
        if tensors <= 40 {
            Content::Table(table)
        } else {
            Content::More(format!("All {tensors} tensors"), vec![Content::Table(table)])
        },
    ];
    Section {
        id: "plan",
        name: "Plan",
        heading: if plan.holds_norms() {
            "What is held, and why".to_owned()
        } else {
            "What decays, and why".to_owned()
        },
        contents,
        shown: Shown::File,
    }
}

/// What happened besides routine; absent when nothing did.
fn happened(events: &[Event]) -> Option<Section> {
    let mut table = Table::new(&["event", "step", "message"], 3);
    for event in events {
        let name = match event.kind {
            EventKind::Started => "started",
            EventKind::Resumed => "resumed",
            EventKind::Diverged => "diverged",
            EventKind::Interrupted => "interrupted",
            EventKind::Finished => "finished",
            EventKind::Note => "note",
            EventKind::Checkpoint | EventKind::Other => continue,
        };
        table.rows.push(vec![name.to_owned(), number::count(event.step), event.message.clone()]);
    }
    let contents = vec![Content::Table(table.clone())];
    (!table.rows.is_empty())
        .then(|| Section::full("events", "What happened", contents).named("Events"))
}
