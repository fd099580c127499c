//! `wd data prepare`: text → token shards.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use wd_data::text::{PrepareOptions, TokenizerSpec};
use wd_page::number;

use crate::ExitCode;
use crate::diagnostics::CommandError;

/// Prepare text for training
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Prepare(Arguments),
}

/// Turn text or JSONL into a corpus of tokens
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd data prepare corpora/state-of-the-union.jsonl.zst --tokenizer bpe:1024 --out runs/sotu
  wd data prepare book.txt --separator $'\\n\\n\\n' --tokenizer bytes --out runs/book
  wd data prepare *.jsonl.gz --tokenizer gpt2 --out runs/web

A text file is one document unless --separator cuts it; each line of a JSONL file is one (its
`text` field). Plain, gzip and zstd files are told apart by their content. The split into training
and validation is made by document when a run starts (data.validation_fraction), so that one
corpus serves every split.")]
pub(crate) struct Arguments {
    /// Text or JSONL files, plain, gzip or zstd
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// bytes, bpe:VOCABULARY (trained on these files) or gpt2
    #[arg(long, value_name = "TOKENIZER")]
    tokenizer: TokenizerSpec,

    /// The folder of the corpus
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Cut text files into documents at this text
    #[arg(long, value_name = "TEXT")]
    separator: Option<String>,

    /// Prepare again even if the folder holds the result already
    #[arg(long)]
    force: bool,

    /// Print corpus.json on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, CommandError> {
    let Command::Prepare(arguments) = command;
    let sidecar = prepare(
        &arguments.files,
        &arguments.tokenizer,
        &arguments.out,
        &PrepareOptions { separator: arguments.separator.clone(), force: arguments.force },
    )?;
    if arguments.json {
        println!("{}", serde_json::json!(sidecar));
    } else {
        eprintln!(
            "{}, {} of a vocabulary of {} → {}",
            number::counted(sidecar.documents, "document"),
            number::counted(sidecar.tokens, "token"),
            number::count(sidecar.vocabulary as u64),
            arguments.out.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Prepares a corpus with a bar.
pub(crate) fn prepare(
    files: &[PathBuf],
    tokenizer: &TokenizerSpec,
    out: &std::path::Path,
    options: &PrepareOptions,
) -> Result<wd_data::text::Sidecar, CommandError> {
    let style = ProgressStyle::with_template("{msg:24} {bar:32} {percent}%  ETA {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::no_length().with_style(style);
    let sidecar = wd_data::text::prepare(files, tokenizer, out, options, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.stage.to_string());
    });
    bar.finish_and_clear();
    Ok(sidecar?)
}
