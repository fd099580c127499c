//! What is there: the files, their groups, their configurations.

use wd_page::number::{count, counted, short};
use wd_page::words::capitalised;
use wd_page::{Content, Section, Table};

use crate::Audit;
use crate::dialect::Declaration;
use crate::summary::{FileSummary, GroupSummary};

pub(super) fn sections(audit: &Audit) -> Vec<Section> {
    let mut sections = Vec::new();
    let contents: Vec<Content> = audit.files.iter().flat_map(file).collect();
    if !contents.is_empty() {
        sections.push(Section::new("files", "What is there", contents));
    }
    let found = audit.files.iter().flat_map(|file| &file.declarations);
    let declarations: Vec<&Declaration> = audit.declarations.iter().chain(found).collect();
    if !declarations.is_empty() {
        let contents = declarations.iter().flat_map(|one| declaration(one)).collect();
        sections.push(Section::new("configurations", "What configurations declare", contents));
    }
    sections
}

fn file(file: &FileSummary) -> Vec<Content> {
    let version = file.writer_version.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
    let dtypes: Vec<String> =
        file.dtypes.iter().map(|one| format!("{} {}", count(one.elements), one.dtype)).collect();
    let mut facts =
        vec![("Form".to_owned(), format!("{}, written by {}{version}", file.format, file.writer))];
    if file.tensors > 0 {
        facts.push((
            "Model".to_owned(),
            format!("{}: {}", counted(file.tensors as u64, "tensor"), dtypes.join(", ")),
        ));
    }
    if !file.clocks.is_empty() {
        let clocks: Vec<String> =
            file.clocks.iter().map(|it| format!("{} {}", it.name, short(it.steps))).collect();
        facts.push(("Clocks".to_owned(), clocks.join(", ")));
    }
    for optimizer in &file.optimizers {
        let name = optimizer.name.as_deref().unwrap_or("optimizer");
        facts.push((capitalised(name), format!("how its tensors are named: {}", optimizer.naming)));
    }
    let mut contents =
        vec![Content::Heading(file.path.display().to_string()), Content::Facts(facts)];
    for optimizer in &file.optimizers {
        contents.push(groups(&optimizer.groups));
    }
    contents.extend(file.remarks.iter().cloned().map(Content::Paragraph));
    contents
}

fn groups(groups: &[GroupSummary]) -> Content {
    let columns = [
        "group",
        "λ acts",
        "λ",
        "rate",
        "β or μ",
        "tensors",
        "parameters",
        "ηλ a step",
        "τ, steps",
    ];
    let mut table = Table::new(&columns, 2);
    let or_dash = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), short);
    for group in groups {
        let momenta = match (group.betas, group.momentum) {
            (Some((first, second)), _) => format!("{}, {}", short(first), short(second)),
            (None, momentum) => or_dash(momentum),
        };
        table.rows.push(vec![
            group.index.to_string(),
            group.rule.map_or_else(|| "not told".to_owned(), |rule| rule.name().to_owned()),
            or_dash(group.lambda),
            or_dash(group.rate),
            momenta,
            count(group.tensors as u64),
            group.parameters.map_or_else(|| "–".to_owned(), count),
            or_dash(group.shrink),
            or_dash(group.timescale_steps),
        ]);
    }
    Content::Table(table)
}

fn declaration(declaration: &Declaration) -> Vec<Content> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    let declared = |it: wd_decay::Declared| match it.default {
        true => format!("{} (the default)", short(it.value)),
        false => short(it.value),
    };
    fact("λ", declaration.lambda.map(declared));
    fact(
        "applied λ",
        declaration.applied_lambda.map(|lambda| match &declaration.scaling {
            Some(scaling) => format!("{}: {scaling}", short(lambda)),
            None => short(lambda),
        }),
    );
    fact("λ at the end", declaration.final_lambda.map(short));
    fact("Peak rate", declaration.rate.map(declared));
    let schedule = declaration.schedule.map(|schedule| schedule.describe());
    let schedule = schedule.or_else(|| declaration.schedule_words.clone());
    let named = || declaration.named_schedule.as_ref().map(|named| format!("{named}, not read"));
    fact("Schedule", schedule.or_else(named));
    fact("Optimizer", declaration.optimizer_name.clone());
    fact(
        "Decay",
        declaration.decoupled.map(|decoupled| match decoupled {
            true => "decoupled from the gradient".to_owned(),
            false => "added to the gradient".to_owned(),
        }),
    );
    fact("Steps", declaration.steps.map(count));
    for (what, lambda) in &declaration.groups {
        fact(&format!("λ of {what}"), Some(short(*lambda)));
    }
    fact("Mind", (!declaration.remarks.is_empty()).then(|| declaration.remarks.join("; ")));
    let unread = declaration.unread.join(", ");
    fact("Seen and not read", (!unread.is_empty()).then_some(unread));
    let slips = declaration.misspelt.iter().map(|slip| slip.words(declaration.dialect));
    let slips: Vec<String> = slips.collect();
    fact("Misspelt", (!slips.is_empty()).then(|| slips.join("; ")));
    let line = declaration.line.map(|line| format!(", line {line}")).unwrap_or_default();
    let heading = format!("{}{line} ({})", declaration.file.display(), declaration.dialect);
    vec![Content::Heading(heading), Content::Facts(facts)]
}
