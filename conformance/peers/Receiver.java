import ca.uhn.hl7v2.AcknowledgmentCode;
import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.MetadataKeys;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.protocol.ReceivingApplicationException;
import ca.uhn.hl7v2.util.Terser;
import java.io.IOException;
import java.util.Map;

/**
 * An HL7 receiver on HAPI's MLLP server: acknowledges each message, prints its control id and the SHA-256 of its
 * bytes. Who asks for an accept acknowledgement gets one.
 */
public class Receiver {
    public static void main(String[] args) throws InterruptedException {
        DefaultHapiContext hapi = new DefaultHapiContext();
        hapi.setLowerLayerProtocol(Bytes.protocol());
        HL7Service server = hapi.newServer(Integer.parseInt(args[0]), false);
        server.registerApplication("*", "*", new Taker());
        server.startAndWait();
    }

    static class Taker implements ReceivingApplication<Message> {
        public boolean canProcess(Message message) {
            return true;
        }

        public Message processMessage(Message message, Map<String, Object> metadata)
                throws ReceivingApplicationException, HL7Exception {
            Terser fields = new Terser(message);
            String raw = (String) metadata.get(MetadataKeys.IN_RAW_MESSAGE);
            System.out.println("received " + fields.get("/MSH-10") + " " + Bytes.sum(raw));
            boolean accept = "AL".equals(fields.get("/MSH-15"));
            try {
                return message.generateACK(accept ? AcknowledgmentCode.CA : AcknowledgmentCode.AA, null);
            } catch (IOException e) {
                throw new HL7Exception(e);
            }
        }
    }
}
