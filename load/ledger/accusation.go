package ledger

// Suspect forbids writes until Clear, because a read did not show what it must.
// It reports false where the object is under suspicion already.
func (o *Object) Suspect() bool {
	o.mu.Lock()
	first := !o.suspect
	o.suspect = true
	o.mu.Unlock()
	if first {
		o.Guard().hold(1)
	}
	return first
}

// Clear ends a suspicion.
func (o *Object) Clear() {
	o.mu.Lock()
	was := o.suspect
	o.suspect = false
	o.mu.Unlock()
	if was {
		o.Guard().hold(-1)
	}
}

func (o *Object) hold(more int) {
	o.mu.Lock()
	o.holds += more
	o.mu.Unlock()
}

// Accuse notes a violation, and says whether it is the first of its kind.
func (o *Object) Accuse(kind Kind) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	bit := uint16(1) << kind
	first := o.accused&bit == 0
	o.accused |= bit
	return first
}

// Accused says whether a violation of a kind has been noted.
func (o *Object) Accused(kind Kind) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.accused&(uint16(1)<<kind) != 0
}

// Suspected says whether a suspicion is open.
func (o *Object) Suspected() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holds > 0
}
