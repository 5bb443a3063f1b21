package xds

import "strings"

// Group says what an error code tells about the health of the one who sent it.
type Group int

// The groups, from the one that speaks least against the server to the one that speaks most.
const (
	// GroupAlive: the request was nonsense to this server, and it looked at it and said so.
	GroupAlive Group = iota + 1
	// GroupBusy: overloaded for now.
	GroupBusy
	// GroupWrite: belongs to a submission; no answer to a question.
	GroupWrite
	// GroupUnknown: a code that the profile does not have.
	GroupUnknown
	// GroupCatchAll: anything at all; what it means only the server's log tells.
	GroupCatchAll
	// GroupSick: out of resources, or cut off from what it needs.
	GroupSick
)

// String gives "alive", "busy", "write", "unknown", "catch-all" or "sick".
func (g Group) String() string {
	names := [...]string{"unknown", "alive", "busy", "write", "unknown", "catch-all", "sick"}
	if g < 0 || int(g) >= len(names) {
		return "unknown"
	}
	return names[g]
}

// Error codes that need a name of their own.
const (
	CodeUnknownPatientID    = "XDSUnknownPatientId"
	CodeDocumentUniqueID    = "XDSDocumentUniqueIdError"
	CodeUnknownRepositoryID = "XDSUnknownRepositoryId"
	CodeTooManyResults      = "XDSTooManyResults"
)

// groups are the codes of IHE ITI TF-3 table 4.2.4.1-2 by what they mean for health.
var groups = map[string]Group{
	CodeUnknownPatientID:         GroupAlive,
	"XDSUnknownStoredQuery":      GroupAlive,
	"XDSStoredQueryMissingParam": GroupAlive,
	"XDSStoredQueryParamNumber":  GroupAlive,
	"XDSResultNotSinglePatient":  GroupAlive,
	CodeDocumentUniqueID:         GroupAlive,
	CodeUnknownRepositoryID:      GroupAlive,
	"XDSMissingHomeCommunityId":  GroupAlive,
	"XDSUnknownCommunity":        GroupAlive,
	CodeTooManyResults:           GroupAlive,

	"XDSRegistryBusy":   GroupBusy,
	"XDSRepositoryBusy": GroupBusy,

	"XDSRegistryOutOfResources":   GroupSick,
	"XDSRepositoryOutOfResources": GroupSick,
	"XDSRegistryNotAvailable":     GroupSick,
	"XDSUnavailableCommunity":     GroupSick,

	"XDSRegistryError":   GroupCatchAll,
	"XDSRepositoryError": GroupCatchAll,

	"XDSMissingDocument":                      GroupWrite,
	"XDSMissingDocumentMetadata":              GroupWrite,
	"XDSRegistryMetadataError":                GroupWrite,
	"XDSRepositoryMetadataError":              GroupWrite,
	"XDSDuplicateUniqueIdInRegistry":          GroupWrite,
	"XDSRegistryDuplicateUniqueIdInMessage":   GroupWrite,
	"XDSRepositoryDuplicateUniqueIdInMessage": GroupWrite,
	"XDSNonIdenticalHash":                     GroupWrite,
	"XDSNonIdenticalSize":                     GroupWrite,
	"XDSPatientIdDoesNotMatch":                GroupWrite,
	"XDSRegistryDeprecatedDocumentError":      GroupWrite,
	"XDSExtraMetadataNotSaved":                GroupWrite,
	"InvalidDocumentContent":                  GroupWrite,
	"DocumentQueued":                          GroupWrite,
}

// GroupOf returns the group of an error code; GroupUnknown for one that is in no table.
func GroupOf(code string) Group {
	if g, ok := groups[code]; ok {
		return g
	}
	return GroupUnknown
}

// bareCode drops what some servers write in front of a code: "urn:ihe:iti:2007:XDSRegistryError".
func bareCode(code string) string {
	code = strings.TrimSpace(code)
	return code[strings.LastIndexAny(code, ":#")+1:]
}
