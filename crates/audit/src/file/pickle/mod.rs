//! A restricted reader of Python's pickles: it interprets and never constructs.
//!
//! A pickle is a program for a stack machine that may call any function of Python. Here nothing is
//! called. Functions whose meaning is known give what they would have made (tensors, dictionaries,
//! shapes, NumPy's scalars); everything else is kept as an object with its class, arguments and
//! state, so that the settings in an unknown class stay readable.
//!
//! Values lie in one arena and refer to each other by handles. So the memo aliases as Python's
//! does, a value that holds itself harms nobody, a bomb costs what its bytes cost, and freeing never
//! recurses.

mod global;
mod input;
mod machine;
mod node;
mod object;
mod reduce;
mod value;

pub use node::{Handle, Pickle, Storage};
pub use object::Object;

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;

use machine::Machine;

impl Pickle {
    /// Reads one pickle that begins at `start`. Returns its values, and the place behind it.
    ///
    /// # Errors
    /// If it is no pickle, uses an opcode that is not read, or asks for more than `limits`.
    pub fn read(source: &Bytes, start: usize, limits: Limits) -> Result<(Pickle, usize), Fault> {
        Machine::new(source, start, limits)?.run()
    }

    /// The value that the pickle stands for.
    pub fn root(&self) -> Object<'_> {
        Object::new(self, self.root)
    }
}
