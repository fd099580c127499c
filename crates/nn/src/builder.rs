//! Where the tensors and activations of a network lie: handed out one after the other, as its
//! layers are made.

use wd_decay::Role;

use crate::ParameterLayout;
use crate::workspace::{ActivationPlan, DropoutSite, Linear, Parameter};

/// Appends tensors to a layout and activations to a plan.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) layout: ParameterLayout,
    pub(crate) plan: ActivationPlan,
    /// Where activations start that live for one branch's forward or backward only; all branches
    /// share the place.
    pub(crate) temporary: ActivationPlan,
    dropout_sites: u64,
}

impl Builder {
    pub(crate) fn matrix(
        &mut self,
        path: String,
        rows: usize,
        columns: usize,
        role: Role,
        std: f64,
    ) -> Parameter {
        let offset = self.layout.push(path, vec![rows, columns], role, 0.0, std);
        Parameter { offset, rows, columns }
    }

    /// Output channels, input channels, rows and columns of a kernel; as a matrix, one row an
    /// output channel.
    pub(crate) fn convolution(&mut self, path: String, shape: [usize; 4], std: f64) -> Parameter {
        let offset = self.layout.push(path, shape.to_vec(), Role::Convolution, 0.0, std);
        Parameter { offset, rows: shape[0], columns: shape[1..].iter().product() }
    }

    pub(crate) fn vector(&mut self, path: String, len: usize, role: Role, value: f64) -> Parameter {
        let offset = self.layout.push(path, vec![len], role, value, 0.0);
        Parameter { offset, rows: 1, columns: len }
    }

    pub(crate) fn linear(
        &mut self,
        path: &str,
        [outputs, inputs]: [usize; 2],
        std: f64,
        bias: bool,
    ) -> Linear {
        let weight = self.matrix(format!("{path}.weight"), outputs, inputs, Role::Matrix, std);
        let bias = bias.then(|| self.vector(format!("{path}.bias"), outputs, Role::Bias, 0.0));
        Linear { weight, bias }
    }

    pub(crate) fn dropout_site(&mut self) -> DropoutSite {
        self.dropout_sites += 1;
        DropoutSite(self.dropout_sites)
    }
}
