//! The stack machine that reads a pickle: it fills an arena and calls nothing.

use std::collections::HashMap;

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;

use super::global::Known;
use super::input::Input;
use super::node::{Handle, Node, Parts, Pickle, Span};

/// The state of the machine between two opcodes.
pub(super) struct Machine<'a> {
    pub(super) input: Input<'a>,
    pub(super) pickle: Pickle,
    pub(super) limits: Limits,
    stack: Vec<Handle>,
    /// Heights of the stack at which marks were set.
    marks: Vec<usize>,
    /// Numbers that follow each other, as every writer gives them, lie in a vector. A memo that
    /// jumps must not make a vector of holes.
    memo: Vec<Handle>,
    far_memo: HashMap<u64, Handle>,
    pub(super) storage_index: HashMap<(String, u8, Option<usize>), u32>,
    /// Items and bytes that were copied from other values.
    pub(super) copied: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(source: &'a Bytes, start: usize, limits: Limits) -> Result<Self, Fault> {
        let pickle = Pickle {
            source: source.clone(),
            nodes: Vec::new(),
            pool: Vec::new(),
            states: HashMap::new(),
            root: Handle(0),
            axes: limits.axes,
            storages: Vec::new(),
        };
        let input = Input::new(source, source.offset(), start, limits)?;
        let (stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new());
        let (far_memo, storage_index) = (HashMap::new(), HashMap::new());
        let copied = 0;
        Ok(Machine { input, pickle, limits, stack, marks, memo, far_memo, storage_index, copied })
    }

    /// Reads up to STOP. Returns the values, and where the pickle ends.
    pub(super) fn run(mut self) -> Result<(Pickle, usize), Fault> {
        loop {
            let opcode = self.input.byte()?;
            if opcode == b'.' {
                break;
            }
            self.execute(opcode)?;
        }
        self.pickle.root = self.pop()?;
        Ok((self.pickle, self.input.position()))
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        self.input.fault(what)
    }

    pub(super) fn add(&mut self, node: Node) -> Result<Handle, Fault> {
        if self.pickle.nodes.len() >= self.limits.objects.min(u32::MAX as usize) {
            let most = wd_page::number::count(self.limits.objects as u64);
            return Err(self.fault(format!("a pickle of more than {most} objects is refused")));
        }
        let handle = Handle(self.pickle.nodes.len() as u32);
        self.pickle.nodes.push(node);
        Ok(handle)
    }

    fn push(&mut self, node: Node) -> Result<(), Fault> {
        let handle = self.add(node)?;
        self.stack.push(handle);
        Ok(())
    }

    /// Takes the top of the stack, which must lie above the last mark.
    fn pop(&mut self) -> Result<Handle, Fault> {
        self.top()?;
        self.stack.pop().ok_or_else(|| self.fault("the stack is empty"))
    }

    fn top(&self) -> Result<Handle, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(&handle) if self.stack.len() > floor => Ok(handle),
            _ => Err(self.fault("the stack is empty")),
        }
    }

    /// Takes all that lies above the last mark, and the mark.
    fn pop_mark(&mut self) -> Result<Vec<Handle>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| self.fault("no mark is on the stack"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn pop_pairs(&mut self) -> Result<Vec<(Handle, Handle)>, Fault> {
        let flat = self.pop_mark()?;
        let (pairs, rest) = flat.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.fault("a key has no value"));
        }
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    fn tuple(&mut self, count: usize) -> Result<(), Fault> {
        let mut items = [Handle(0); 3];
        for at in (0..count).rev() {
            items[at] = self.pop()?;
        }
        self.push(Node::Tuple(items[..count].into()))
    }

    fn remember(&mut self, number: u64) -> Result<(), Fault> {
        let handle = self.top()?;
        let next = self.memo.len() as u64;
        if number < next {
            self.memo[number as usize] = handle;
        } else if number == next {
            self.memo.push(handle);
        } else {
            self.far_memo.insert(number, handle);
        }
        Ok(())
    }

    fn recall(&mut self, number: u64) -> Result<(), Fault> {
        let near = usize::try_from(number).ok().and_then(|at| self.memo.get(at));
        let found = near.or_else(|| self.far_memo.get(&number)).copied();
        let handle = found.ok_or_else(|| {
            self.fault(format!("number {number} of the memo is used and was never set"))
        })?;
        self.stack.push(handle);
        Ok(())
    }

    fn global(&mut self, module: Span, name: Span) -> Result<(), Fault> {
        // A long text that is used often must not be read often; no known name is long.
        let is_long = module.length.max(name.length) > 256;
        let known = match is_long {
            true => Known::Other,
            false => Known::named(self.pickle.text(module), self.pickle.text(name)),
        };
        self.push(Node::Global { module, name, known })
    }

    /// A new object of a class, or what the class is known to make.
    fn construct(&mut self, class: Handle, arguments: Handle) -> Result<(), Fault> {
        let Node::Tuple(_) = self.pickle.node(arguments) else {
            return Err(self.fault("a function is called with what is no tuple"));
        };
        let made = self.reduce(class, arguments)?;
        self.stack.push(made);
        Ok(())
    }

    /// An object that keeps its parts.
    pub(super) fn object(&mut self, class: Handle, arguments: Handle) -> Result<Handle, Fault> {
        let parts = Parts { class, arguments, state: None, items: Vec::new(), list: Vec::new() };
        self.add(Node::Object(Box::new(parts)))
    }

    fn append(&mut self, items: &[Handle]) -> Result<(), Fault> {
        let list = self.top()?;
        match self.pickle.nodes.get_mut(list.0 as usize) {
            Some(Node::List(list)) => list.extend(items),
            Some(Node::Object(parts)) => parts.list.extend(items),
            _ => return Err(self.fault("APPENDS on what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, pairs: &[(Handle, Handle)]) -> Result<(), Fault> {
        let dict = self.top()?;
        match self.pickle.nodes.get_mut(dict.0 as usize) {
            Some(Node::Dict(dict)) => dict.extend(pairs),
            Some(Node::Object(parts)) => parts.items.extend(pairs),
            _ => return Err(self.fault("SETITEMS on what is no dictionary")),
        }
        Ok(())
    }

    fn add_items(&mut self, items: &[Handle]) -> Result<(), Fault> {
        let set = self.top()?;
        match self.pickle.nodes.get_mut(set.0 as usize) {
            Some(Node::Set(set)) => set.extend(items),
            Some(Node::Object(parts)) => parts.list.extend(items),
            _ => return Err(self.fault("ADDITEMS on what is no set")),
        }
        Ok(())
    }

    fn build(&mut self, state: Handle) -> Result<(), Fault> {
        let target = self.top()?;
        match self.pickle.nodes.get_mut(target.0 as usize) {
            Some(Node::Object(parts)) => parts.state = Some(state),
            Some(Node::Dict(_) | Node::Tensor { .. } | Node::Array(_) | Node::Global { .. }) => {
                self.pickle.states.insert(target, state);
            }
            _ => return Err(self.fault("BUILD on what has no attributes")),
        }
        self.finish_array(target)
    }

    /// Carries out one opcode other than STOP.
    fn execute(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            // Stack and marks.
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => drop(self.pop_mark()?),
            b'2' => self.stack.push(self.top()?),
            0x80 => {
                let protocol = self.input.byte()?;
                if protocol > 5 {
                    return Err(self.fault(format!("protocol {protocol} is not known")));
                }
            }
            0x95 => self.input.frame()?,
            // The memo.
            b'p' => self.input.number_line().and_then(|number| self.remember(number))?,
            b'q' => self.input.byte().and_then(|number| self.remember(number.into()))?,
            b'r' => self.input.u32().and_then(|number| self.remember(number.into()))?,
            0x94 => {
                let number = self.memo.len() + self.far_memo.len();
                self.remember(number as u64)?;
            }
            b'g' => self.input.number_line().and_then(|number| self.recall(number))?,
            b'h' => self.input.byte().and_then(|number| self.recall(number.into()))?,
            b'j' => self.input.u32().and_then(|number| self.recall(number.into()))?,
            // Containers.
            b')' => self.push(Node::Tuple(Box::default()))?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items.into()))?;
            }
            b']' => self.push(Node::List(Vec::new()))?,
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))?;
            }
            b'}' => self.push(Node::Dict(Vec::new()))?,
            b'd' => {
                let pairs = self.pop_pairs()?;
                self.push(Node::Dict(pairs))?;
            }
            0x8f => self.push(Node::Set(Vec::new()))?,
            0x91 => {
                let items = self.pop_mark()?;
                self.push(Node::Set(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[(key, value)])?;
            }
            b'u' => {
                let pairs = self.pop_pairs()?;
                self.set_items(&pairs)?;
            }
            0x90 => {
                let items = self.pop_mark()?;
                self.add_items(&items)?;
            }
            _ => return self.execute_object(opcode),
        }
        Ok(())
    }

    /// Carries out an opcode that is about classes, or that holds a plain value.
    fn execute_object(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            b'c' => {
                let (module, name) = (self.input.text_line()?, self.input.text_line()?);
                self.global(module, name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.pickle.node(module), self.pickle.node(name)) {
                    (&Node::Text(module), &Node::Text(name)) => self.global(module, name),
                    _ => Err(self.fault("STACK_GLOBAL of what is no text")),
                }
            }
            b'R' | 0x81 => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.construct(class, arguments)
            }
            0x92 => {
                let (named, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                let made = self.object(class, arguments)?;
                if let Node::Dict(pairs) = self.pickle.node(named) {
                    let pairs = pairs.clone();
                    self.charge(pairs.len())?;
                    if let Some(Node::Object(parts)) = self.pickle.nodes.last_mut() {
                        parts.items = pairs;
                    }
                }
                self.stack.push(made);
                Ok(())
            }
            b'b' => {
                let state = self.pop()?;
                self.build(state)
            }
            b'P' => {
                let id = self.input.text_line()?;
                let id = self.add(Node::Text(id))?;
                let found = self.persistent(id)?;
                self.stack.push(found);
                Ok(())
            }
            b'Q' => {
                let id = self.pop()?;
                let found = self.persistent(id)?;
                self.stack.push(found);
                Ok(())
            }
            _ => {
                let node = self.input.plain(opcode, &mut self.pickle.pool)?;
                self.push(node)
            }
        }
    }
}
