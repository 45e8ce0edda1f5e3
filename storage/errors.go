package storage

import "errors"

var (
	// ErrNotFound reports a CID, path or pin that the store does not hold. The
	// store never asks the network for it; see Exchange.Fetch.
	ErrNotFound = errors.New("not in the store")
	// ErrQuota reports a write that would take the store past its quota. Unpin
	// and Collect, or raise the quota.
	ErrQuota = errors.New("storage quota reached")
	// ErrTooLarge reports input past the limit that the caller gave.
	ErrTooLarge = errors.New("larger than allowed")
	// ErrInvalid reports a CAR or a block that is not the DAG that was asked for:
	// wrong root or hash, missing or extra blocks, truncation, unknown codec.
	ErrInvalid = errors.New("invalid content")
	// ErrDamaged reports a block on this disk that no longer has its hash.
	ErrDamaged = errors.New("damaged on disk")
	// ErrLocked reports a directory that another store has open.
	ErrLocked = errors.New("storage directory is in use")
	// ErrClosed reports use after Close.
	ErrClosed = errors.New("store is closed")
	// ErrName reports a file name that a folder cannot hold.
	ErrName = errors.New("unusable file name")
	// ErrRefused reports a peer that may have the content but does not give it
	// to us.
	ErrRefused = errors.New("peer refused")
	// ErrBusy reports a peer that serves as many streams as it wants to.
	ErrBusy = errors.New("peer is busy")
	// ErrSilent reports peers that gave nothing for as long as Patience.
	ErrSilent = errors.New("no block came in time")
	// ErrReceipt reports bytes that are not exactly one canonical receipt.
	ErrReceipt = errors.New("invalid receipt")
	// ErrPNG reports a picture that is not a plain, opaque 8-bit PNG within limits.
	ErrPNG = errors.New("invalid PNG")
)
