//! The formats of recorded runs, and the words for them.

use serde::Serialize;

/// A format of recorded runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of the programs and formats")]
pub enum Format {
    Tensorboard,
    Wandb,
    Mlflow,
    MlflowFiles,
    Trackio,
    Optuna,
    OptunaJournal,
    Lightning,
    HuggingFace,
    Dvclive,
    Csv,
    JsonLines,
    Parquet,
    Text,
}

impl Format {
    /// Every format with the word that selects it.
    pub const ALL: [(Format, &'static str); 14] = [
        (Format::Tensorboard, "tensorboard"),
        (Format::Wandb, "wandb"),
        (Format::Mlflow, "mlflow"),
        (Format::MlflowFiles, "mlflow-files"),
        (Format::Trackio, "trackio"),
        (Format::Optuna, "optuna"),
        (Format::OptunaJournal, "optuna-journal"),
        (Format::Lightning, "lightning"),
        (Format::HuggingFace, "hugging-face"),
        (Format::Dvclive, "dvclive"),
        (Format::Csv, "csv"),
        (Format::JsonLines, "jsonl"),
        (Format::Parquet, "parquet"),
        (Format::Text, "text"),
    ];

    /// The word that selects it.
    pub fn word(self) -> &'static str {
        Format::ALL.iter().find(|(format, _)| *format == self).map_or("", |(_, word)| word)
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Format::Tensorboard => "TensorBoard",
            Format::Wandb => "W&B",
            Format::Mlflow => "MLflow",
            Format::MlflowFiles => "MLflow's file store",
            Format::Trackio => "trackio",
            Format::Optuna => "Optuna",
            Format::OptunaJournal => "Optuna's journal",
            Format::Lightning => "Lightning's CSV",
            Format::HuggingFace => "the Hugging Face Trainer",
            Format::Dvclive => "DVCLive",
            Format::Csv => "CSV",
            Format::JsonLines => "JSON lines",
            Format::Parquet => "Parquet",
            Format::Text => "text logs",
        }
    }

    /// Tables and texts may be anything: they are looked at where nothing else is found.
    pub fn is_general(self) -> bool {
        matches!(self, Format::Csv | Format::JsonLines | Format::Parquet | Format::Text)
    }
}
