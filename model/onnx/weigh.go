package onnx

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Bytes of memory that a decoded message takes besides its contents, and a text or a list
// of bytes: somewhat more than they do, as lists of them grow by doubling.
const (
	messageWeight = 256
	textWeight    = 48
	numberWeight  = 8
)

// weigh says how much of room, in bytes, is left after a message is decoded; below zero
// it stops. Two bytes of a file can ask for a hundred times as much memory, so the file
// is walked over before it is decoded. What is malformed, or has messages in each other
// deeper than depth, is left to the decoder, which refuses it.
func weigh(of protoreflect.MessageDescriptor, raw []byte, room, depth int) int {
	room -= messageWeight
	if depth == 0 {
		return room
	}
	for len(raw) > 0 && room >= 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return room
		}
		raw = raw[n:]
		value := raw
		if n = protowire.ConsumeFieldValue(number, kind, raw); n < 0 {
			return room
		}
		raw = raw[n:]
		field := of.Fields().ByNumber(number)
		switch {
		case field == nil: // dropped by the decoder
		case kind != protowire.BytesType:
			room -= numberWeight
		default:
			inside, _ := protowire.ConsumeBytes(value[:n])
			switch field.Kind() {
			case protoreflect.MessageKind:
				room = weigh(field.Message(), inside, room, depth-1)
			case protoreflect.StringKind, protoreflect.BytesKind:
				room -= textWeight + len(inside)
			case protoreflect.FloatKind, protoreflect.DoubleKind:
				room -= len(inside)
			default: // a list of whole numbers, of a byte each at least
				room -= numberWeight * len(inside)
			}
		}
	}
	return room
}
