//! What a network does to a micro-batch: operations on handles, each a call of one kernel.
//!
//! A layer holds handles, [`Parameter`] and [`Activation`], and never a slice; a [`Workspace`]
//! knows where the numbers are. Networks that go through the whole batch layer by layer have
//! handles of their own (`vision::layered`).

mod attention;
mod embeddings;
mod handles;
mod losses;
mod maps;
mod micro_batch;
mod nonlinearities;
mod norms;

pub(crate) use handles::{
    Activation, ActivationPlan, Attention, BranchEnd, DropoutSite, HeadNormalisation, Linear,
    Normalisation, Parameter, PatchEmbedding, Rows,
};
pub(crate) use micro_batch::{MicroBatch, Tables, Workspace, scratch_len};
