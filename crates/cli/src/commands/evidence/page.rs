//! What was found, as a report.

use std::path::Path;

use wd_data::table::{Design, Findings};
use wd_evidence::page::{Coefficient, Convention, EvidenceAnalysis};
use wd_page::Context;

use super::analysis::Analysis;
use super::load::named_together;
use super::show;
use wd_page::number::{count as grouped, short as number};

/// The report of one target as an HTML page.
pub(super) fn html(
    analysis: &Analysis,
    design: &Design,
    findings: &Findings,
    data: &[&Path],
    command: String,
) -> String {
    let context = Context {
        title: format!("{}, explained by {}", analysis.target, file_names(data)),
        commands: vec![command],
        setting: vec![
            ("Table".to_owned(), named_together(data)),
            ("Rows".to_owned(), grouped(findings.rows)),
            (
                "Columns".to_owned(),
                format!("{} of the table, {} of the design", design.features.len(), design.width()),
            ),
        ],
        notes: analysis.notes.iter().cloned().chain(show::remarks(design, findings)).collect(),
    };
    report(analysis, design).page(&context).html()
}

fn report(analysis: &Analysis, design: &Design) -> EvidenceAnalysis {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![
        fact("Rows", grouped(analysis.rows as u64)),
        fact("Columns", grouped(analysis.columns.len() as u64)),
        fact(
            "Effective parameters",
            format!("{} of {}", number(analysis.effective_parameters), analysis.rank),
        ),
        fact("Log evidence", format!("{} nats", number(analysis.log_evidence))),
    ];
    if analysis.groups.is_empty() {
        facts.push(fact("Prior σ", number(1.0 / analysis.alpha.sqrt())));
    }
    if analysis.family == super::Family::Gaussian {
        facts.push(fact("Noise", number(1.0 / analysis.beta.sqrt())));
    }
    let mut coefficients = Vec::new();
    for output in &analysis.outputs {
        for (column, name) in analysis.columns.iter().enumerate() {
            coefficients.push(Coefficient {
                name: match &output.class {
                    Some(class) => format!("{name} → {class}"),
                    None => name.clone(),
                },
                value: output.coefficients[column],
                deviation: output.deviations.get(column).copied().unwrap_or(f64::NAN),
                standardized: output.standardized[column],
            });
        }
    }
    EvidenceAnalysis {
        target: analysis.target.clone(),
        lead: format!("{}.", show::headline(analysis)),
        regime: regime(analysis),
        facts,
        lambda: analysis.lambda,
        interval: analysis.interval,
        effective_parameters: analysis
            .path
            .iter()
            .map(|point| point.effective_parameters)
            .collect(),
        rank: analysis.rank,
        training_errors: analysis.path.iter().map(|point| point.training_error).collect(),
        comparison: analysis.comparison.clone(),
        coefficients,
        paths: analysis.coefficient_paths.clone(),
        prior_deviations: analysis.prior_deviations(),
        calibration: analysis.calibration.clone(),
        conventions: analysis
            .conventions
            .iter()
            .map(|row| Convention {
                library: row.library.to_owned(),
                setting: format!("{} = {}", row.name, number(row.value)),
                call: row.call.clone(),
            })
            .collect(),
        columns: show::columns(design)
            .into_iter()
            .map(|(name, kind, role)| {
                let became = match kind.as_str() {
                    "" => role,
                    kind => format!("{kind}: {role}"),
                };
                (name, became)
            })
            .collect(),
    }
}

fn regime(analysis: &Analysis) -> String {
    match analysis.family {
        super::Family::Gaussian => {
            "λ weighs ‖w‖² beside the summed squared error, on columns as they enter the model: divided by their standard deviation unless told otherwise. It is the ratio of noise variance to prior variance.".to_owned()
        }
        family => format!(
            "λ weighs ½‖w‖² beside the summed negative log likelihood of the {} family: it is the precision of the prior. The evidence is Laplace's approximation.",
            family.name()
        ),
    }
}

/// The files without their folders.
fn file_names(data: &[&Path]) -> String {
    let names: Vec<&Path> =
        data.iter().map(|path| path.file_name().map_or(*path, Path::new)).collect();
    named_together(&names)
}
