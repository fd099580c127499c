//! Where each tensor of a model lies in the one flat parameter arena.

use wd_decay::{Role, TensorDescription};

/// One tensor of the model: a window into the parameter arena.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSegment {
    /// Dotted name, for example `block.0.mlp.up.weight`.
    pub path: String,
    /// Rows and columns of a weight (`[out, in]`, row-major, as `torch.nn.Linear`), `[out,
    /// in/groups, rows, columns]` of a convolution (as `torch.nn.Conv2d`, in the arena too), or the
    /// length of a vector.
    pub shape: Vec<usize>,
    /// What the tensor is for.
    pub role: Role,
    /// First element in the arena.
    pub offset: usize,
    /// Mean of the initial values: 1 for norm gains, else 0.
    pub initial_mean: f64,
    /// Standard deviation of the normal initial values; 0 where every element starts at the mean.
    pub initial_std: f64,
}

impl ParameterSegment {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Has the tensor no elements? Never so in a valid configuration.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements' range in the arena.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// Every tensor of a model, in arena order, without gaps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterLayout {
    /// The tensors.
    pub segments: Vec<ParameterSegment>,
    /// Number of parameters in all.
    pub len: usize,
}

impl ParameterLayout {
    /// What a decay policy has to know of each tensor, in arena order.
    pub fn descriptions(&self) -> Vec<TensorDescription<'_>> {
        self.segments
            .iter()
            .map(|segment| TensorDescription {
                path: &segment.path,
                shape: &segment.shape,
                role: segment.role,
            })
            .collect()
    }

    /// The tensor of that path.
    pub fn segment(&self, path: &str) -> Option<&ParameterSegment> {
        self.segments.iter().find(|segment| segment.path == path)
    }

    /// Appends a tensor and returns its offset.
    pub(crate) fn push(
        &mut self,
        path: String,
        shape: Vec<usize>,
        role: Role,
        mean: f64,
        std: f64,
    ) -> usize {
        let offset = self.len;
        self.len += shape.iter().product::<usize>();
        self.segments.push(ParameterSegment {
            path,
            shape,
            role,
            offset,
            initial_mean: mean,
            initial_std: std,
        });
        offset
    }
}
