//! The names of classes and functions whose meaning is known.

use crate::tensor::Dtype;

/// What a class or function stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Kept with its parts and never called.
    Other,
    Dict,
    DefaultDict,
    List,
    Set,
    Size,
    Device,
    /// A class of storages; nothing for one that counts bytes.
    Storage(Option<Dtype>),
    /// An element type of PyTorch.
    Dtype(Dtype),
    Tensor,
    TensorWithDtype,
    Parameter,
    FromType,
    FromArray,
    NumpyScalar,
    NumpyArray,
    NumpyFromBuffer,
    NumpyDtype,
    Encode,
    ByteArray,
    Reconstructor,
    NewObject,
    GetAttribute,
}

impl Known {
    /// By module and name, as Python 2 or 3 write them.
    pub(super) fn named(module: &str, name: &str) -> Known {
        match (module, name) {
            ("collections", "OrderedDict" | "Counter") => Known::Dict,
            ("collections", "defaultdict") => Known::DefaultDict,
            ("builtins" | "__builtin__", "dict") => Known::Dict,
            ("builtins" | "__builtin__", "list") => Known::List,
            ("builtins" | "__builtin__", "set" | "frozenset") => Known::Set,
            ("builtins" | "__builtin__", "bytearray") => Known::ByteArray,
            ("builtins" | "__builtin__", "getattr") => Known::GetAttribute,
            ("copyreg" | "copy_reg", "_reconstructor") => Known::Reconstructor,
            ("copyreg" | "copy_reg", "__newobj__") => Known::NewObject,
            ("_codecs", "encode") => Known::Encode,
            ("torch", "Size") => Known::Size,
            ("torch", "device") => Known::Device,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Known::Tensor,
            ("torch._utils", "_rebuild_tensor_v3") => Known::TensorWithDtype,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Known::Parameter
            }
            ("torch._utils", "_rebuild_device_tensor_from_numpy") => Known::FromArray,
            ("torch._tensor", "_rebuild_from_type_v2") => Known::FromType,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Known::NumpyScalar,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Known::NumpyArray
            }
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Known::NumpyFromBuffer,
            ("numpy", "dtype") => Known::NumpyDtype,
            ("torch" | "torch.cuda" | "torch.storage", _) if name.ends_with("Storage") => {
                storage(name)
            }
            ("torch", _) => torch_dtype(name).map_or(Known::Other, Known::Dtype),
            _ => Known::Other,
        }
    }
}

fn storage(name: &str) -> Known {
    let dtype = match name {
        "UntypedStorage" | "_UntypedStorage" => return Known::Storage(None),
        "FloatStorage" => Dtype::Float32,
        "DoubleStorage" => Dtype::Float64,
        "HalfStorage" => Dtype::Float16,
        "BFloat16Storage" => Dtype::Bfloat16,
        "LongStorage" => Dtype::Int64,
        "IntStorage" => Dtype::Int32,
        "ShortStorage" => Dtype::Int16,
        "CharStorage" => Dtype::Int8,
        "ByteStorage" => Dtype::Uint8,
        "BoolStorage" => Dtype::Bool,
        "ComplexFloatStorage" => Dtype::Complex64,
        "ComplexDoubleStorage" => Dtype::Complex128,
        "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
            Dtype::Other { bytes: 1 }
        }
        "QInt32Storage" => Dtype::Other { bytes: 4 },
        _ => return Known::Other,
    };
    Known::Storage(Some(dtype))
}

/// An element type by PyTorch's name without `torch.`.
fn torch_dtype(name: &str) -> Option<Dtype> {
    Some(match name {
        "float32" | "float" => Dtype::Float32,
        "float64" | "double" => Dtype::Float64,
        "float16" | "half" => Dtype::Float16,
        "bfloat16" => Dtype::Bfloat16,
        "uint8" => Dtype::Uint8,
        "uint16" => Dtype::Uint16,
        "uint32" => Dtype::Uint32,
        "uint64" => Dtype::Uint64,
        "int8" => Dtype::Int8,
        "int16" | "short" => Dtype::Int16,
        "int32" | "int" => Dtype::Int32,
        "int64" | "long" => Dtype::Int64,
        "bool" => Dtype::Bool,
        "complex64" | "cfloat" => Dtype::Complex64,
        "complex128" | "cdouble" => Dtype::Complex128,
        "float8_e4m3fn" => Dtype::Float8E4m3,
        "float8_e5m2" => Dtype::Float8E5m2,
        "float8_e4m3fnuz" | "float8_e5m2fnuz" | "float8_e8m0fnu" | "float4_e2m1fn_x2" | "bits8"
        | "bits1x8" | "bits2x4" | "bits4x2" | "qint8" | "quint8" | "quint4x2" | "quint2x4" => {
            Dtype::Other { bytes: 1 }
        }
        "bits16" => Dtype::Other { bytes: 2 },
        "complex32" | "chalf" | "qint32" => Dtype::Other { bytes: 4 },
        _ => return None,
    })
}

/// An element type by NumPy's letter and size, as in `f8`.
pub(super) fn numpy_dtype(code: &str) -> Option<Dtype> {
    Some(match code.trim_start_matches(['<', '>', '=', '|']) {
        "f2" => Dtype::Float16,
        "f4" => Dtype::Float32,
        "f8" => Dtype::Float64,
        "i1" => Dtype::Int8,
        "i2" => Dtype::Int16,
        "i4" => Dtype::Int32,
        "i8" => Dtype::Int64,
        "u1" => Dtype::Uint8,
        "u2" => Dtype::Uint16,
        "u4" => Dtype::Uint32,
        "u8" => Dtype::Uint64,
        "b1" => Dtype::Bool,
        "c8" => Dtype::Complex64,
        "c16" => Dtype::Complex128,
        _ => return None,
    })
}
