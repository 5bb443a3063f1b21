package dicom

import "slices"

const (
	storagePrefix = "1.2.840.10008.5.1.4.1.1."
	queryPrefix   = "1.2.840.10008.5.1.4.1.2."
	printPrefix   = "1.2.840.10008.5.1.1."
	syntaxPrefix  = "1.2.840.10008.1.2.4."
)

// sopClasses with the keywords of PS3.6 table A-1: services first, then what is stored, each in the order of their UIDs.
// Retired ones are here as long as devices propose them.
var sopClasses = slices.Concat(services, storage)

// services are the SOP classes whose UIDs are not those of composite objects to be stored; a few of them are stored all the same.
var services = []UID{
	{"Verification", VerificationUID},
	{"BasicStudyContentNotification", "1.2.840.10008.1.9"}, // retired
	{"StorageCommitmentPushModel", StorageCommitmentPushUID},
	{"StorageCommitmentPullModel", "1.2.840.10008.1.20.2"}, // retired
	{"ProceduralEventLogging", "1.2.840.10008.1.40"},
	{"SubstanceAdministrationLogging", "1.2.840.10008.1.42"},
	{"DetachedPatientManagement", "1.2.840.10008.3.1.2.1.1"}, // retired
	{"DetachedStudyManagement", "1.2.840.10008.3.1.2.3.1"},   // retired
	{"StudyComponentManagement", "1.2.840.10008.3.1.2.3.2"},  // retired
	{"ModalityPerformedProcedureStep", "1.2.840.10008.3.1.2.3.3"},
	{"ModalityPerformedProcedureStepRetrieve", "1.2.840.10008.3.1.2.3.4"},
	{"ModalityPerformedProcedureStepNotification", "1.2.840.10008.3.1.2.3.5"},
	{"BasicFilmSession", printPrefix + "1"},
	{"BasicFilmBox", printPrefix + "2"},
	{"BasicGrayscaleImageBox", printPrefix + "4"},
	{"BasicColorImageBox", printPrefix + "4.1"},
	{"ReferencedImageBox", printPrefix + "4.2"}, // retired
	{"BasicGrayscalePrintManagementMeta", printPrefix + "9"},
	{"ReferencedGrayscalePrintManagementMeta", printPrefix + "9.1"}, // retired
	{"PrintJob", printPrefix + "14"},
	{"BasicAnnotationBox", printPrefix + "15"},
	{"Printer", printPrefix + "16"},
	{"PrinterConfigurationRetrieval", printPrefix + "16.376"},
	{"BasicColorPrintManagementMeta", printPrefix + "18"},
	{"ReferencedColorPrintManagementMeta", printPrefix + "18.1"}, // retired
	{"VOILUTBox", printPrefix + "22"},
	{"PresentationLUT", printPrefix + "23"},
	{"PrintQueueManagement", printPrefix + "26"},          // retired
	{"StoredPrintStorage", printPrefix + "27"},            // retired
	{"HardcopyGrayscaleImageStorage", printPrefix + "29"}, // retired
	{"HardcopyColorImageStorage", printPrefix + "30"},     // retired
	{"PullPrintRequest", printPrefix + "31"},              // retired
	{"MediaCreationManagement", printPrefix + "33"},
	{"DisplaySystem", printPrefix + "40"},
	{"PatientRootQueryRetrieveInformationModelFind", PatientRootFindUID},
	{"PatientRootQueryRetrieveInformationModelMove", queryPrefix + "1.2"},
	{"PatientRootQueryRetrieveInformationModelGet", queryPrefix + "1.3"},
	{"StudyRootQueryRetrieveInformationModelFind", StudyRootFindUID},
	{"StudyRootQueryRetrieveInformationModelMove", StudyRootMoveUID},
	{"StudyRootQueryRetrieveInformationModelGet", StudyRootGetUID},
	{"PatientStudyOnlyQueryRetrieveInformationModelFind", queryPrefix + "3.1"}, // retired
	{"PatientStudyOnlyQueryRetrieveInformationModelMove", queryPrefix + "3.2"}, // retired
	{"PatientStudyOnlyQueryRetrieveInformationModelGet", queryPrefix + "3.3"},  // retired
	{"CompositeInstanceRootRetrieveMove", queryPrefix + "4.2"},
	{"CompositeInstanceRootRetrieveGet", queryPrefix + "4.3"},
	{"CompositeInstanceRetrieveWithoutBulkDataGet", queryPrefix + "5.3"},
	{"DefinedProcedureProtocolInformationModelFind", "1.2.840.10008.5.1.4.20.1"},
	{"DefinedProcedureProtocolInformationModelMove", "1.2.840.10008.5.1.4.20.2"},
	{"DefinedProcedureProtocolInformationModelGet", "1.2.840.10008.5.1.4.20.3"},
	{"ModalityWorklistInformationModelFind", ModalityWorklistUID},
	{"GeneralPurposeWorklistInformationModelFind", "1.2.840.10008.5.1.4.32.1"}, // retired
	{"InstanceAvailabilityNotification", "1.2.840.10008.5.1.4.33"},
	{"UnifiedProcedureStepPush", "1.2.840.10008.5.1.4.34.6.1"},
	{"UnifiedProcedureStepWatch", "1.2.840.10008.5.1.4.34.6.2"},
	{"UnifiedProcedureStepPull", "1.2.840.10008.5.1.4.34.6.3"},
	{"UnifiedProcedureStepEvent", "1.2.840.10008.5.1.4.34.6.4"},
	{"UnifiedProcedureStepQuery", "1.2.840.10008.5.1.4.34.6.5"},
	{"RTBeamsDeliveryInstructionStorage", "1.2.840.10008.5.1.4.34.7"},
	{"RTConventionalMachineVerification", "1.2.840.10008.5.1.4.34.8"},
	{"RTIonMachineVerification", "1.2.840.10008.5.1.4.34.9"},
	{"RTBrachyApplicationSetupDeliveryInstructionStorage", "1.2.840.10008.5.1.4.34.10"},
	{"GeneralRelevantPatientInformationQuery", "1.2.840.10008.5.1.4.37.1"},
	{"BreastImagingRelevantPatientInformationQuery", "1.2.840.10008.5.1.4.37.2"},
	{"CardiacRelevantPatientInformationQuery", "1.2.840.10008.5.1.4.37.3"},
	{"HangingProtocolStorage", "1.2.840.10008.5.1.4.38.1"},
	{"HangingProtocolInformationModelFind", "1.2.840.10008.5.1.4.38.2"},
	{"HangingProtocolInformationModelMove", "1.2.840.10008.5.1.4.38.3"},
	{"HangingProtocolInformationModelGet", "1.2.840.10008.5.1.4.38.4"},
	{"ColorPaletteStorage", "1.2.840.10008.5.1.4.39.1"},
	{"ColorPaletteQueryRetrieveInformationModelFind", "1.2.840.10008.5.1.4.39.2"},
	{"ColorPaletteQueryRetrieveInformationModelMove", "1.2.840.10008.5.1.4.39.3"},
	{"ColorPaletteQueryRetrieveInformationModelGet", "1.2.840.10008.5.1.4.39.4"},
	{"ProductCharacteristicsQuery", "1.2.840.10008.5.1.4.41"},
	{"SubstanceApprovalQuery", "1.2.840.10008.5.1.4.42"},
	{"GenericImplantTemplateStorage", "1.2.840.10008.5.1.4.43.1"},
	{"GenericImplantTemplateInformationModelFind", "1.2.840.10008.5.1.4.43.2"},
	{"GenericImplantTemplateInformationModelMove", "1.2.840.10008.5.1.4.43.3"},
	{"GenericImplantTemplateInformationModelGet", "1.2.840.10008.5.1.4.43.4"},
	{"ImplantAssemblyTemplateStorage", "1.2.840.10008.5.1.4.44.1"},
	{"ImplantAssemblyTemplateInformationModelFind", "1.2.840.10008.5.1.4.44.2"},
	{"ImplantAssemblyTemplateInformationModelMove", "1.2.840.10008.5.1.4.44.3"},
	{"ImplantAssemblyTemplateInformationModelGet", "1.2.840.10008.5.1.4.44.4"},
	{"ImplantTemplateGroupStorage", "1.2.840.10008.5.1.4.45.1"},
	{"ImplantTemplateGroupInformationModelFind", "1.2.840.10008.5.1.4.45.2"},
	{"ImplantTemplateGroupInformationModelMove", "1.2.840.10008.5.1.4.45.3"},
	{"ImplantTemplateGroupInformationModelGet", "1.2.840.10008.5.1.4.45.4"},
}

// transferSyntaxes with the keywords of PS3.6 table A-1.
var transferSyntaxes = []UID{
	{"ImplicitVRLittleEndian", ImplicitVRLittleEndianUID},
	{"ExplicitVRLittleEndian", ExplicitVRLittleEndianUID},
	{"EncapsulatedUncompressedExplicitVRLittleEndian", "1.2.840.10008.1.2.1.98"},
	{"DeflatedExplicitVRLittleEndian", "1.2.840.10008.1.2.1.99"},
	{"ExplicitVRBigEndian", "1.2.840.10008.1.2.2"}, // retired
	{"JPEGBaseline8Bit", syntaxPrefix + "50"},
	{"JPEGExtended12Bit", syntaxPrefix + "51"},
	{"JPEGLossless", syntaxPrefix + "57"},
	{"JPEGLosslessSV1", syntaxPrefix + "70"},
	{"JPEGLSLossless", syntaxPrefix + "80"},
	{"JPEGLSNearLossless", syntaxPrefix + "81"},
	{"JPEG2000Lossless", syntaxPrefix + "90"},
	{"JPEG2000", syntaxPrefix + "91"},
	{"JPEG2000MCLossless", syntaxPrefix + "92"},
	{"JPEG2000MC", syntaxPrefix + "93"},
	{"JPIPReferenced", syntaxPrefix + "94"},
	{"JPIPReferencedDeflate", syntaxPrefix + "95"},
	{"MPEG2MPML", syntaxPrefix + "100"},
	{"MPEG2MPMLF", syntaxPrefix + "100.1"},
	{"MPEG2MPHL", syntaxPrefix + "101"},
	{"MPEG2MPHLF", syntaxPrefix + "101.1"},
	{"MPEG4HP41", syntaxPrefix + "102"},
	{"MPEG4HP41F", syntaxPrefix + "102.1"},
	{"MPEG4HP41BD", syntaxPrefix + "103"},
	{"MPEG4HP41BDF", syntaxPrefix + "103.1"},
	{"MPEG4HP422D", syntaxPrefix + "104"},
	{"MPEG4HP422DF", syntaxPrefix + "104.1"},
	{"MPEG4HP423D", syntaxPrefix + "105"},
	{"MPEG4HP423DF", syntaxPrefix + "105.1"},
	{"MPEG4HP42STEREO", syntaxPrefix + "106"},
	{"MPEG4HP42STEREOF", syntaxPrefix + "106.1"},
	{"HEVCMP51", syntaxPrefix + "107"},
	{"HEVCM10P51", syntaxPrefix + "108"},
	{"JPEGXLLossless", syntaxPrefix + "110"},
	{"JPEGXLJPEGRecompression", syntaxPrefix + "111"},
	{"JPEGXL", syntaxPrefix + "112"},
	{"HTJ2KLossless", syntaxPrefix + "201"},
	{"HTJ2KLosslessRPCL", syntaxPrefix + "202"},
	{"HTJ2K", syntaxPrefix + "203"},
	{"JPIPHTJ2KReferenced", syntaxPrefix + "204"},
	{"JPIPHTJ2KReferencedDeflate", syntaxPrefix + "205"},
	{"RLELossless", "1.2.840.10008.1.2.5"},
	{"SMPTEST211020UncompressedProgressiveActiveVideo", "1.2.840.10008.1.2.7.1"},
	{"SMPTEST211020UncompressedInterlacedActiveVideo", "1.2.840.10008.1.2.7.2"},
	{"SMPTEST211030PCMDigitalAudio", "1.2.840.10008.1.2.7.3"},
}
