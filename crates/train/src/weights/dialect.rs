//! Weights in files: in our own names, as checkpoints hold them, or in those of another library.

use std::path::Path;

use wd_nn::{ParameterLayout, ParameterSegment};
use wd_store::{Tensor, TensorView, write_safetensors};

use super::arenas::Arenas;
use crate::error::TrainError;

/// What a tensor is called in another library, and how it lies there.
pub(crate) struct Translation {
    pub name: String,
    pub form: Form,
}

/// How a tensor lies in another library.
pub(crate) enum Form {
    /// As here.
    Same,
    /// A matrix, with rows and columns exchanged.
    Transposed,
    /// The same numbers in the same order, in another shape.
    Shaped(Vec<usize>),
}

impl Form {
    fn shape(&self, here: &[usize]) -> Vec<usize> {
        match self {
            Form::Same => here.to_vec(),
            Form::Transposed => here.iter().rev().copied().collect(),
            Form::Shaped(shape) => shape.clone(),
        }
    }
}

/// The names and forms of another library.
pub(crate) trait Dialect {
    /// The name of one of our tensors; absent where the library has nothing like it.
    fn name(&self, segment: &ParameterSegment) -> Option<Translation>;

    /// Is a tensor of a file that the model has no place for of no effect?
    fn is_harmless(&self, name: &str, values: &[f32], parameters: &[f32]) -> bool;
}

/// Reads weights and running statistics, in another library's names or in our own, from the tensors
/// of `file`.
///
/// # Errors
/// Missing, superfluous or misshapen tensors, by name; numbers that are not finite.
pub(crate) fn fill(
    file: &Path,
    mut tensors: Vec<Tensor>,
    dialect: &dyn Dialect,
    arenas: Arenas<'_>,
) -> Result<(), TrainError> {
    let Arenas { layout, parameters, running_layout, running } = arenas;
    let of = |layout| ParameterLayout::clone(layout).segments;
    for (segments, values) in [(of(layout), &mut *parameters), (of(running_layout), running)] {
        for segment in segments {
            take(file, &mut tensors, dialect, &segment, values)?;
        }
    }
    for (name, _, values) in &tensors {
        if !dialect.is_harmless(name, values, parameters) {
            return Err(misfit(file, format!("the model has no place for its tensor `{name}`")));
        }
    }
    Ok(())
}

/// Takes one tensor out of those of a file.
fn take(
    file: &Path,
    tensors: &mut Vec<Tensor>,
    dialect: &dyn Dialect,
    segment: &ParameterSegment,
    arena: &mut [f32],
) -> Result<(), TrainError> {
    let translation = dialect.name(segment);
    let position = tensors.iter().position(|(name, ..)| {
        *name == segment.path
            || translation.as_ref().is_some_and(|translation| translation.name == *name)
    });
    let Some(position) = position else {
        let or = translation
            .map_or(String::new(), |translation| format!(" (or `{}`)", translation.name));
        return Err(misfit(file, format!("it has no tensor `{}`{or}", segment.path)));
    };
    let (name, shape, values) = tensors.swap_remove(position);
    let form = match translation {
        Some(translation) if name != segment.path => translation.form,
        _ => Form::Same,
    };
    let expected = form.shape(&segment.shape);
    if shape != expected {
        return Err(misfit(
            file,
            format!("`{name}` has shape {shape:?}, the model wants {expected:?}"),
        ));
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(misfit(file, format!("`{name}` holds {} at element {index}", values[index])));
    }
    let here = &mut arena[segment.range()];
    match form {
        Form::Transposed => here.copy_from_slice(&transpose(expected[0], expected[1], &values)),
        Form::Same | Form::Shaped(_) => here.copy_from_slice(&values),
    }
    Ok(())
}

/// A tensor as another library holds it.
pub(crate) fn translated(
    dialect: &dyn Dialect,
    segment: &ParameterSegment,
    arena: &[f32],
) -> Result<Tensor, TrainError> {
    let values = &arena[segment.range()];
    let translation = dialect.name(segment).ok_or_else(|| TrainError::NoForm {
        reason: format!("it has a tensor `{}`", segment.path),
    })?;
    let shape = translation.form.shape(&segment.shape);
    let values = match translation.form {
        Form::Transposed => transpose(segment.shape[0], segment.shape[1], values),
        Form::Same | Form::Shaped(_) => values.to_vec(),
    };
    Ok((translation.name, shape, values))
}

/// The tensors of an arena in our own names.
pub(crate) fn tensors<'a>(
    layout: &'a ParameterLayout,
    arena: &'a [f32],
) -> impl Iterator<Item = Tensor> + 'a {
    layout.segments.iter().map(|segment| {
        let values = arena[segment.range()].to_vec();
        (segment.path.clone(), segment.shape.clone(), values)
    })
}

/// Writes tensors as `file`, and the configuration that another library reads beside it, if it
/// reads one.
///
/// # Errors
/// A file that cannot be written; another `config.json` there, unless told to `overwrite` it.
pub(crate) fn write(
    file: &Path,
    tensors: &[Tensor],
    config: Option<&str>,
    overwrite: bool,
) -> Result<(), TrainError> {
    let config_path = file.with_file_name("config.json");
    let is_another =
        std::fs::read_to_string(&config_path).is_ok_and(|there| Some(there.as_str()) != config);
    if is_another && !overwrite {
        return Err(TrainError::OtherConfig { path: config_path });
    }
    let views: Vec<TensorView<'_>> = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), shape.as_slice(), values.as_slice()))
        .collect();
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| misfit(folder, error.to_string()))?;
    }
    write_safetensors(file, &views)?;
    if let Some(config) = config {
        wd_store::write_file(&config_path, config.as_bytes())?;
    }
    Ok(())
}

fn transpose(rows: usize, columns: usize, values: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

pub(crate) fn misfit(path: &Path, reason: String) -> TrainError {
    TrainError::Weights { path: path.to_owned(), reason }
}
