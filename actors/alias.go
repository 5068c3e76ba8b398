package actors

import "github.com/nudge-engine/nudge/internal/effect"

type (
	Effects    = effect.Effects
	Drop       = effect.Drop
	DeadLetter = effect.DeadLetter
	Message    = effect.Message
)

const Semantics = effect.Semantics

func DecodeMessage(p []byte) (Message, error) { return effect.DecodeMessage(p) }
