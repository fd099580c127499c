//! The arithmetic of a direction, coordinate by coordinate.
//!
//! The operations come in the order of PyTorch's optimizers on a CPU (`foreach=False,
//! fused=False`), and are fused where its vectorised kernels fuse them. Another order would be as
//! good, but two f32 runs that part by one bit anywhere are some 1e-6 apart after 100 steps; so the
//! weights stay equal in every bit, or nearly every one.

use pulp::Simd;

use crate::config::AdamParameters;

/// A direction in lanes of `f32`.
pub(crate) trait Direction: Copy + Sync {
    /// Does it keep a first state?
    const FIRST: bool;
    /// Does it keep a second state?
    const SECOND: bool;

    /// From gradient and states to u and the new states.
    fn of<S: Simd>(
        self,
        simd: S,
        gradient: S::f32s,
        first: S::f32s,
        second: S::f32s,
    ) -> Directed<S>;
}

/// What a direction comes to.
pub(crate) struct Directed<S: Simd> {
    /// u, or its numerator where there is a denominator. Either has the sign of u.
    pub(crate) numerator: S::f32s,
    /// What to divide by after having multiplied by the step size.
    pub(crate) denominator: Option<S::f32s>,
    /// The new first state.
    pub(crate) first: S::f32s,
    /// The new second state.
    pub(crate) second: S::f32s,
}

/// The gradient itself.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Direction for Plain {
    const FIRST: bool = false;
    const SECOND: bool = false;

    #[inline(always)]
    fn of<S: Simd>(self, _: S, gradient: S::f32s, first: S::f32s, second: S::f32s) -> Directed<S> {
        Directed { numerator: gradient, denominator: None, first, second }
    }
}

/// SGD's momentum, with or without Nesterov's look ahead.
#[derive(Clone, Copy)]
pub(crate) struct Momentum<const NESTEROV: bool> {
    momentum: f32,
    /// 1 − dampening, but 1 at the first step, where PyTorch starts the buffer as the gradient.
    intake: f32,
}

impl<const NESTEROV: bool> Momentum<NESTEROV> {
    /// For step `time` = 1, 2, ….
    pub(crate) fn new(momentum: f64, dampening: f64, time: u64) -> Self {
        let intake = if time == 1 { 1.0 } else { 1.0 - dampening };
        Momentum { momentum: momentum as f32, intake: intake as f32 }
    }
}

impl<const NESTEROV: bool> Direction for Momentum<NESTEROV> {
    const FIRST: bool = true;
    const SECOND: bool = false;

    #[inline(always)]
    fn of<S: Simd>(
        self,
        simd: S,
        gradient: S::f32s,
        first: S::f32s,
        second: S::f32s,
    ) -> Directed<S> {
        let momentum = simd.splat_f32s(self.momentum);
        let buffer = simd.mul_add_e_f32s(
            simd.splat_f32s(self.intake),
            gradient,
            simd.mul_f32s(first, momentum),
        );
        let direction =
            if NESTEROV { simd.mul_add_e_f32s(momentum, buffer, gradient) } else { buffer };
        Directed { numerator: direction, denominator: None, first: buffer, second }
    }
}

/// Adam, up to the factor 1/(1 − β₁ᵗ) that the step size carries.
#[derive(Clone, Copy)]
pub(crate) struct Adam {
    intake1: f32,
    beta2: f32,
    intake2: f32,
    /// √(1 − β₂ᵗ).
    root_correction: f32,
    epsilon: f32,
}

impl Adam {
    /// For step `time` = 1, 2, …: the direction, and what the learning rate has to be divided by.
    pub(crate) fn new(parameters: AdamParameters, time: u64) -> (Self, f64) {
        let AdamParameters { beta1, beta2, epsilon } = parameters;
        // A power beyond i32 is 0 for every β < 1 that an f64 can hold next to 1, or as good as.
        let power = |beta: f64| beta.powi(i32::try_from(time).unwrap_or(i32::MAX));
        let adam = Adam {
            intake1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            intake2: (1.0 - beta2) as f32,
            root_correction: (1.0 - power(beta2)).sqrt() as f32,
            epsilon: epsilon as f32,
        };
        (adam, 1.0 - power(beta1))
    }
}

impl Direction for Adam {
    const FIRST: bool = true;
    const SECOND: bool = true;

    #[inline(always)]
    fn of<S: Simd>(
        self,
        simd: S,
        gradient: S::f32s,
        first: S::f32s,
        second: S::f32s,
    ) -> Directed<S> {
        let splat = |value| simd.splat_f32s(value);
        let first = simd.mul_add_e_f32s(splat(self.intake1), simd.sub_f32s(gradient, first), first);
        let part = simd.mul_f32s(splat(self.intake2), gradient);
        let second = simd.mul_add_e_f32s(part, gradient, simd.mul_f32s(second, splat(self.beta2)));
        let root = simd.div_f32s(simd.sqrt_f32s(second), splat(self.root_correction));
        let denominator = simd.add_f32s(root, splat(self.epsilon));
        Directed { numerator: first, denominator: Some(denominator), first, second }
    }
}

/// Lion.
#[derive(Clone, Copy)]
pub(crate) struct Lion {
    beta1: f32,
    intake1: f32,
    beta2: f32,
    intake2: f32,
}

impl Lion {
    pub(crate) fn new(beta1: f64, beta2: f64) -> Self {
        let complement = |beta: f64| (1.0 - beta) as f32;
        Lion {
            beta1: beta1 as f32,
            intake1: complement(beta1),
            beta2: beta2 as f32,
            intake2: complement(beta2),
        }
    }
}

impl Direction for Lion {
    const FIRST: bool = true;
    const SECOND: bool = false;

    #[inline(always)]
    fn of<S: Simd>(
        self,
        simd: S,
        gradient: S::f32s,
        first: S::f32s,
        second: S::f32s,
    ) -> Directed<S> {
        let splat = |value| simd.splat_f32s(value);
        let blend = |old, intake| {
            simd.mul_add_e_f32s(splat(intake), gradient, simd.mul_f32s(first, splat(old)))
        };
        let blended = blend(self.beta1, self.intake1);
        // The sign of 0 is 0, so that a coordinate that never had a gradient stays where it is.
        let sign_bit = simd.and_f32s(blended, splat(-0.0));
        let sign = simd.or_f32s(sign_bit, splat(1.0));
        let direction = simd.select_f32s(simd.equal_f32s(blended, splat(0.0)), splat(0.0), sign);
        Directed {
            numerator: direction,
            denominator: None,
            first: blend(self.beta2, self.intake2),
            second,
        }
    }
}
